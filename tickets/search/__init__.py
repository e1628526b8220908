"""Help-centre search: words and meaning, fused.

lexical.py (PostgreSQL full text) and semantic.py (vectors in memory, read by snapshot.py, made by embedder.py) find
candidates, names.py lets codes and names win, fusion.py orders them and decides when nothing fits, snippet.py shows
why. sections.py cuts the articles when they are saved (tickets/services/articles.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from tickets.audience import Readers
from tickets.languages import ENGLISH, spoken
from tickets.models import Article
from tickets.search import lexical
from tickets.search.embedder import embedder_status, get_embedder
from tickets.search.fusion import Found, fuse
from tickets.search.lexical import Term
from tickets.search.semantic import Nearness
from tickets.search.snapshot import current_snapshot
from tickets.search.snippet import START, STOP, snippet_html
from tickets.search.spelling import looks_english

__all__ = ["Hit", "embedder_status", "search"]


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that answers, by its best section. `text` is that section's plain text, `snippet_html` safe HTML with
    <mark>, `score` the confidence from 0 to 1, `exact` whether a code or the whole name was asked for."""

    slug: str
    title: str
    url: str
    category: str
    section: str
    snippet_html: str
    text: str
    score: float
    exact: bool
    summary: str = ""  # the article's own, of one sentence
    language: str = ENGLISH
    audience: str = Article.Audience.EVERYONE

    @property
    def audience_label(self) -> str:
        return Article(audience=self.audience).audience_label


def search(
    query: str, *, readers: Readers, category: str | None = None, limit: int = 5, language: str = ""
) -> list[Hit]:
    """The published articles that answer a question, best first; empty when nothing that these readers may read is
    about it: what is others' is left out before anything is ranked.

    In `language` (the active one when none is given), and in English when nothing is found there.
    """
    language = language or spoken()
    for tried in dict.fromkeys((language, ENGLISH)):
        by_meaning = tried == language or looks_english(query)
        found, terms = find(query, readers=readers, category=category, language=tried, by_meaning=by_meaning)
        if found:
            return _hits(found[:limit], terms, tried, readers)
    return []


def find(
    query: str, *, readers: Readers, category: str | None = None, language: str = ENGLISH, by_meaning: bool = True
) -> tuple[list[Found], list[Term]]:
    """Articles in order, without their texts, and the question's words as they were understood. By meaning only in a
    language that the embedder declares."""
    embedder = get_embedder()
    if embedder is not None and (language not in embedder.languages or not by_meaning):
        embedder = None
    snapshot = current_snapshot(embedder.name if embedder else "", language)
    if not snapshot.articles:
        return [], []
    terms = lexical.read_terms(query, snapshot.vocabulary, snapshot.articles, language)
    named = snapshot.names.named_in(query, readers)
    nearness = Nearness(snapshot, embedder, query)
    ranked = lexical.rank(
        terms,
        sections=nearness.nearest(readers, category),
        articles=[article for article, strength in named.items() if strength >= 1][: lexical.CANDIDATES],
        readers=readers,
        category=category,
        language=language,
    )
    return fuse(ranked, nearness, named), terms


def _hits(found: list[Found], terms: list[Term], language: str, readers: Readers) -> list[Hit]:
    if not found:
        return []
    marked = " | ".join(lexical.quoted(term.lexeme) for term in terms if term.articles)
    options = f"HighlightAll=true, StartSel={START}, StopSel={STOP}"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.id::text, a.slug, coalesce(t.title, a.title), a.category, s.heading, s.text, "
            "coalesce(t.summary, a.summary), a.audience, ts_headline(%s::regconfig, s.text, %s::tsquery, %s) "
            "FROM tickets_articlesection s JOIN tickets_article a ON a.id = s.article_id "
            "LEFT JOIN tickets_articletranslation t ON t.article_id = a.id AND t.language = s.language "
            "WHERE s.id = ANY(%s::uuid[]) AND a.status = 'published' "
            "AND a.audience = ANY(%s)",
            [lexical.configuration(language), marked, options, [one.section for one in found], list(readers)],
        )
        rows: dict[str, tuple[str, ...]] = {row[0]: row[1:] for row in cursor.fetchall()}
    return [_hit(one, language, *rows[one.section]) for one in found if one.section in rows]


def _hit(
    found: Found,
    language: str,
    slug: str,
    title: str,
    category: str,
    heading: str,
    text: str,
    summary: str,
    audience: str,
    marked: str,
) -> Hit:
    return Hit(
        slug=slug,
        title=title,
        url=f"/help/{slug}/",
        category=category,
        section=heading,
        snippet_html=snippet_html(marked),
        text=text,
        score=round(found.confidence, 3),
        exact=found.name >= 2,
        summary=summary,
        language=language,
        audience=audience,
    )
