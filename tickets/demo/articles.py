"""The demo shop's help centre: Markdown files with a head of metadata, saved as articles."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from django.db import transaction

from tickets.models import Article, ArticleSection
from tickets.search.embedder import get_embedder
from tickets.services.articles import article_save, articles_embed, vectors_store
from tickets.services.translations import translation_save

FOLDER = Path(__file__).parent / "articles"
TRANSLATIONS = Path(__file__).parent / "translations"
VECTORS = Path(__file__).parent / "article_vectors.npz"


def load_articles(*, embed: bool = True) -> int:
    """Create or refresh every demo article, and make their vectors at once (`embed`); how many articles there are."""
    files = sorted(FOLDER.glob("*.md"))
    with transaction.atomic():
        for path in files:
            article_save(**read_article(path), embed=False)
        load_translations()
    if embed and get_embedder():
        restore_vectors()
        for _ in articles_embed():
            pass
    return len(files)


def load_translations() -> None:
    """Those of the demo's articles that customers ask most, in the languages of their files."""
    articles = {article.slug: article for article in Article.objects.all()}
    for path in sorted(TRANSLATIONS.glob("*/*.md")):
        fields = read_article(path)
        article = articles[fields.pop("slug", path.stem)]
        status = Article.Status.PUBLISHED
        translation_save(article=article, language=path.parent.name, status=status, embed=False, **fields)


def restore_vectors() -> None:
    """Take the vectors of unchanged sections from the file: to compute them all takes a CPU half a minute."""
    if not VECTORS.exists():
        return
    with np.load(VECTORS) as kept:
        embedder, vectors = str(kept["embedder"]), dict(zip(kept["digests"].tolist(), kept["vectors"], strict=True))
    missing = ArticleSection.objects.exclude(embedder=embedder).filter(digest__in=list(vectors))
    if rows := list(missing):
        found = np.array([vectors[row.digest] for row in rows], dtype=np.float32)
        vectors_store(sections=rows, vectors=found, embedder=embedder)


def keep_vectors() -> int:
    """Write the vectors of all indexed sections into the file, for the next `load_articles`; how many."""
    embedder = get_embedder()
    assert embedder is not None
    rows = ArticleSection.objects.filter(embedder=embedder.name).order_by("article__slug", "position")
    digests, vectors = zip(*rows.values_list("digest", "embedding"), strict=True)
    halves = np.array([np.frombuffer(vector, dtype="<f4") for vector in vectors]).astype("<f2")
    np.savez_compressed(VECTORS, embedder=embedder.name, digests=np.array(digests), vectors=halves)
    return len(digests)


def read_article(path: Path) -> dict[str, Any]:
    """The arguments of article_save that a file holds."""
    _, head, body = path.read_text(encoding="utf-8").split("---\n", 2)
    fields: dict[str, Any] = yaml.safe_load(head)
    updated = fields.pop("updated")
    assert isinstance(updated, date)
    return {**fields, "body": body.strip(), "updated_at": datetime.combine(updated, time(9), tzinfo=UTC)}
