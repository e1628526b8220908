"""What each process keeps in memory of the published articles: their names, words and sections' vectors.

Within search, ids are texts: a search handles hundreds of them, and making UUIDs of them took a tenth of its time.

A small query per search compares the index's version with the one kept, so that an edit shows at the next search.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from tickets.audience import Readers
from tickets.languages import ENGLISH
from tickets.models import Article, ArticleSection, ArticleTranslation, SearchTerm, TranslatedTerm
from tickets.search.names import Names
from tickets.search.turned import Turned, turned

MANY = 2000  # from here on it is cheaper to fetch every vector than to name those
_lock = threading.Lock()
_kept: dict[tuple[str, str], Snapshot] = {}
_apart: ContextVar[dict[tuple[str, str], Snapshot] | None] = ContextVar("apart", default=None)


@contextmanager
def apart() -> Iterator[None]:
    """What is read meanwhile stays in this context: for an index that is going to be rolled back."""
    token = _apart.set({})
    try:
        yield
    finally:
        _apart.reset(token)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`vectors` has one row per section that has one; `rows` maps the section to its row."""

    version: UUID | None
    articles: int
    names: Names
    vocabulary: dict[str, int] = field(default_factory=dict)  # lexeme: articles that hold it
    sections: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    audiences: NDArray[np.str_] = field(default_factory=lambda: np.empty(0, dtype="<U10"))
    categories: NDArray[np.str_] = field(default_factory=lambda: np.empty(0, dtype="<U10"))
    vectors: Turned = field(default_factory=lambda: turned(np.empty((0, 0), dtype=np.float32)))
    _allowed: dict[tuple[Readers, str | None], NDArray[np.bool_]] = field(default_factory=dict)

    def allowed(self, readers: Readers, category: str | None) -> NDArray[np.bool_]:
        """Which rows these readers may read, of one category or of all; worked out once."""
        found = self._allowed.get((readers, category))
        if found is None:
            found = np.isin(self.audiences, list(readers))
            if category:
                found &= self.categories == category
            self._allowed[readers, category] = found
        return found


def current_snapshot(embedder: str, language: str = ENGLISH) -> Snapshot:
    """One language's snapshot of the index's present version, read anew (changed vectors only) when that moved on."""
    version = _version()
    key = (embedder, language)
    if (own := _apart.get()) is not None:
        mine = own.get(key)
        if mine is None or mine.version != version:
            own[key] = mine = _read(embedder, language, version, mine or _kept.get(key))
        return mine
    kept = _kept.get(key)
    if kept is not None and kept.version == version:
        return kept
    with _lock:
        kept = _kept.get(key)
        if kept is None or kept.version != version:
            _kept[key] = kept = _read(embedder, language, version, kept)
        return kept


def _version() -> UUID | None:
    """Asked at every search, so without the ORM's own work."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT version FROM tickets_searchindex")
        row = cursor.fetchone()
    return row[0] if row else None


def _read(embedder: str, language: str, version: UUID | None, kept: Snapshot | None) -> Snapshot:
    """A section's vector never changes under its id and its embedder, so only unknown ones are fetched."""
    names = Names(_named(language))
    found = ArticleSection.objects.filter(
        article__status=Article.Status.PUBLISHED, language=language, embedder=embedder, embedding__isnull=False
    ).order_by("id")
    listed = found.values_list("id", "article__category", "audience") if embedder else []
    pairs = [(str(section), category, audience) for section, category, audience in listed]
    old = kept.rows if kept is not None else {}
    unknown = [section for section, _, _ in pairs if section not in old]
    many = len(unknown) > MANY
    vectors_of = (found if many else found.filter(id__in=unknown)).values_list("id", "embedding") if unknown else []
    fresh = {str(section): bytes(vector) for section, vector in vectors_of if vector is not None}
    pairs = [pair for pair in pairs if pair[0] in old or pair[0] in fresh]  # one may have gone in between
    sections = [section for section, _, _ in pairs]
    return Snapshot(
        version=version,
        articles=names.articles,
        names=names,
        vocabulary=_vocabulary(language),
        sections=sections,
        rows={section: row for row, section in enumerate(sections)},
        categories=np.array([category for _, category, _ in pairs], dtype="<U10"),
        audiences=np.array([audience for _, _, audience in pairs], dtype="<U10"),
        vectors=_turned(sections, fresh, kept, anew=many),
    )


def _turned(sections: list[str], fresh: dict[str, bytes], kept: Snapshot | None, *, anew: bool) -> Turned:
    """The sections' vectors, in their order: those just fetched and those kept. `anew`: all of them were fetched."""
    old = kept if kept is not None and not anew else Snapshot(None, 0, Names([]))
    turn = old.vectors.turn
    width = len(next(iter(fresh.values()))) // 4 if fresh else old.vectors.width
    vectors = np.empty((len(sections), width), dtype=np.float32)
    new = [row for row, section in enumerate(sections) if section in fresh]
    if new:
        came = np.stack([np.frombuffer(fresh[sections[row]], dtype="<f4") for row in new])
        vectors[new] = came if turn is None else came @ turn
    known = [row for row, section in enumerate(sections) if section not in fresh]
    if known:
        vectors[known] = old.vectors.rows([old.rows[sections[row]] for row in known])
    return turned(vectors, turn)


def _named(language: str) -> Iterator[tuple[str, str, str, str]]:
    """(id, title, keywords, audience) of what is published in a language; an article's keywords are its translations'
    too."""
    published = Article.Status.PUBLISHED
    if language == ENGLISH:
        rows = Article.objects.filter(status=published).values_list("id", "title", "keywords", "audience")
        for article, title, keywords, audience in rows:
            yield str(article), title, keywords, audience
        return
    found = ArticleTranslation.objects.filter(language=language, status=published, article__status=published)
    columns = ("article_id", "title", "keywords", "article__keywords", "article__audience")
    for article, title, own, codes, audience in found.values_list(*columns):
        yield str(article), title, ",".join(filter(None, (own, codes))), audience


def _vocabulary(language: str) -> dict[str, int]:
    if language == ENGLISH:
        return dict(SearchTerm.objects.values_list("lexeme", "articles"))
    return dict(TranslatedTerm.objects.filter(language=language).values_list("lexeme", "articles"))
