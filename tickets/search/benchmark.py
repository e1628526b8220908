"""How good and how fast search is: on labelled questions, and among synthetic articles. Used by `bench_search`."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import yaml
from django.db import connection
from django.test.utils import override_settings

from tickets.audience import EVERYONE
from tickets.ids import new_id
from tickets.languages import ENGLISH
from tickets.models import Article, ArticleSection
from tickets.search import find, search
from tickets.search.embedder import embed_query, get_embedder
from tickets.search.semantic import NEAREST, Nearness
from tickets.search.snapshot import current_snapshot
from tickets.services.articles import terms_recount

Finder = Callable[[str], list[str]]
SECTIONS = 4


@dataclass(frozen=True, slots=True)
class Labelled:
    """`slugs`: the best article, then others that are right too; `nothing`: questions that no article answers."""

    questions: list[tuple[str, list[str]]]
    nothing: list[str]

    def half(self, odd: int) -> Labelled:
        """Every other question: the even ones chose the figures of fusion.py, the odd ones were held out."""
        return Labelled(self.questions[odd::2], self.nothing[odd::2])


def read_labels(path: Path) -> Labelled:
    data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Labelled([(entry["query"], entry["slugs"]) for entry in data["labels"]], data["nothing"])


def finders() -> dict[str, Finder]:
    """By words alone, by meaning alone (when there is a model) and both, as customers get it."""
    with_model: dict[str, Finder] = {"semantic": _by_meaning} if get_embedder() else {}
    return {"lexical": _by_words, **with_model, "fused": _fused}


def quality(labelled: Labelled, finder: Finder) -> dict[str, float]:
    """Shares from 0 to 1. Recall and MRR ask for the best article; `right_*` for any of the right ones."""
    answers = [(finder(question), slugs) for question, slugs in labelled.questions]
    best = [_place(found, slugs[:1]) for found, slugs in answers]
    right = [_place(found, slugs) for found, slugs in answers]
    return {
        "recall@1": _share(place == 1 for place in best),
        "recall@5": _share(place <= 5 for place in best),
        "mrr": round(sum(1 / place for place in best) / len(best), 3),
        "right@1": _share(place == 1 for place in right),
        "right@5": _share(place <= 5 for place in right),
        "unanswered": _share(not found for found, _ in answers),
        "nothing_refused": _share(not finder(question) for question in labelled.nothing),
    }


def add_synthetic(articles: int, seed: int = 7) -> None:
    """Published articles of SECTIONS sections each, made of the English ones' lines and of invented names; more each
    time it is called."""
    already = Article.objects.filter(slug__startswith="synthetic-").count()
    chance = random.Random(seed + already)  # noqa: S311 - not for secrets
    present = list(ArticleSection.objects.filter(language=ENGLISH).exclude(article__slug__startswith="synthetic-"))
    lines = [line for section in present for line in section.text.split("\n")]
    embedder = get_embedder()
    noise = np.random.default_rng(seed + already)
    for start in range(already, already + articles, 500):
        numbers = range(start, min(start + 500, already + articles))
        made = [_article(number, chance, lines) for number in numbers]
        Article.objects.bulk_create(made)
        rows = []
        for article in made:
            parts = article.body.split("\n\n")
            near = noise.normal(scale=0.04, size=(len(parts), 384)).astype(np.float32)
            for position, text in enumerate(parts):
                row = ArticleSection(article=article, position=position, heading=article.title, text=text)
                if embedder and (like := chance.choice(present)).embedding:
                    vector = np.frombuffer(like.embedding, dtype="<f4") + near[position]
                    row.embedding = (vector / np.linalg.norm(vector)).astype("<f4").tobytes()
                    row.embedder = embedder.name
                rows.append(row)
        ArticleSection.objects.bulk_create(rows, batch_size=1000)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tickets_articlesection SET lexemes = setweight(to_tsvector('help', heading), 'A') || "
            "to_tsvector('help', text) WHERE lexemes IS NULL"
        )
        terms_recount()
        cursor.execute("ANALYZE tickets_articlesection, tickets_article")


def speed(questions: Sequence[str]) -> dict[str, float]:
    """Milliseconds of one search, the model's own time left out: each question's vector is made (and kept) before."""
    embedder = get_embedder()
    for question in questions:
        if embedder:
            embed_query(embedder, question)
    search(questions[0], readers=EVERYONE)  # reads the snapshot
    taken = []
    for question in questions:
        began = time.perf_counter()
        search(question, readers=EVERYONE)
        taken.append(1000 * (time.perf_counter() - began))
    return {
        "articles": Article.objects.filter(status=Article.Status.PUBLISHED).count(),
        "sections": ArticleSection.objects.count(),
        "searches": len(taken),
        "p50_ms": round(float(np.percentile(taken, 50)), 2),
        "p95_ms": round(float(np.percentile(taken, 95)), 2),
    }


def parts_of_a_search(questions: Sequence[str]) -> dict[str, float]:
    """What a search's time goes to, as shares of it from 0 to 1; the rest is Python's."""
    taken: dict[str, float] = {}

    @contextmanager
    def clocked(part: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        taken[part] = taken.get(part, 0.0) + time.perf_counter() - began

    def asks(execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: dict[str, Any]) -> Any:
        part = "ranks in SQL" if "ts_rank" in sql else "marked texts in SQL" if "ts_headline" in sql else "other SQL"
        with clocked(part):
            return execute(sql, parameters, many, context)

    embedder = get_embedder()
    snapshot = current_snapshot(embedder.name if embedder else "")
    with connection.execute_wrapper(asks):
        for question in questions:
            with clocked("all"):
                search(question, readers=EVERYONE)
    for question in questions:
        with clocked("vectors"):
            Nearness(snapshot, embedder, question).nearest(EVERYONE)
    whole = taken.pop("all")
    return {part: round(seconds / whole, 3) for part, seconds in taken.items()}


def nearest_kept(questions: Sequence[str]) -> float:
    """The share of the 40 nearest sections that are found without reading every vector whole (0 to 1)."""
    embedder = get_embedder()
    if embedder is None:
        return 1.0
    snapshot = current_snapshot(embedder.name)
    every = np.arange(len(snapshot.vectors))
    shares = []
    for question in questions:
        vector = embed_query(embedder, question)
        assert vector is not None
        asked = snapshot.vectors.asked(vector)
        exact = np.argsort(-asked.cosines(every))[:NEAREST]
        shares.append(len(set(exact.tolist()) & set(asked.nearest(NEAREST, every >= 0))) / len(exact))
    return round(float(np.mean(shares)), 4)


def _article(number: int, chance: random.Random, lines: list[str]) -> Article:
    name = "".join(chance.choice("bcdfgklmnprstv") + chance.choice("aeiou") for _ in range(4))
    parts = ["\n".join(chance.choice(lines) for _ in range(4)) + f" {name}" for _ in range(SECTIONS)]
    category = chance.choice(Article.Category.values)
    title = f"{name.title()}: {chance.choice(lines)[:80]}"
    return Article(
        id=new_id(), slug=f"synthetic-{number}", title=title, category=category, body="\n\n".join(parts),
        status=Article.Status.PUBLISHED,
    )  # fmt: skip


def _by_words(question: str) -> list[str]:
    with override_settings(EMBEDDER="none"):
        return _fused(question)


def _fused(question: str) -> list[str]:
    return _slugs([found.article for found in find(question, readers=EVERYONE)[0][:10]])


def _by_meaning(question: str) -> list[str]:
    """Articles by their nearest section, whatever the distance."""
    embedder = get_embedder()
    assert embedder is not None
    near = Nearness(current_snapshot(embedder.name), embedder, question)
    sections = near.nearest(EVERYONE, count=100)
    cosines = dict(zip(sections, near.of(sections), strict=True))
    nearest = sorted(sections, key=lambda section: -cosines[section])
    owners = {str(section): str(article) for section, article in ArticleSection.objects.values_list("id", "article_id")}
    return _slugs(list(dict.fromkeys(owners[section] for section in nearest))[:10])


def _slugs(articles: list[str]) -> list[str]:
    slugs = dict(Article.objects.filter(id__in=articles).values_list("id", "slug"))
    return [slugs[UUID(article)] for article in articles]


def _place(found: list[str], right: list[str]) -> float:
    """From 1; infinite when none of the right ones was found."""
    return next((place for place, slug in enumerate(found, 1) if slug in right), float("inf"))


def _share(flags: Iterable[bool]) -> float:
    values = list(flags)
    return round(sum(values) / len(values), 3) if values else 0.0
