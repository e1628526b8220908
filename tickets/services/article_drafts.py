"""The help centre as a draft would make it: for searches of one context, never for a reader's.

The draft is written in a transaction that is always rolled back, so no other connection ever sees it; what this process
keeps of the index in memory is apart as well (search.snapshot). Meanwhile whoever saves an article waits: be quick.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.db import connection, transaction

from tickets.models import Article
from tickets.search.snapshot import apart
from tickets.services.articles import FIELDS, article_save, articles_embed

LOCK_MS = 2000  # whoever saves an article for real comes first


@contextmanager
def as_if_saved(draft: Mapping[str, str]) -> Iterator[None]:
    """`draft` is what `draft_of` answers, with the changes. Raises ValidationError for what could not be saved."""
    with apart(), transaction.atomic():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = %s", [LOCK_MS])
            _lay(draft)
            yield
        finally:
            transaction.set_rollback(True)


def draft_of(article: Article) -> dict[str, str]:
    """Its present texts, as a draft begins."""
    return {"slug": article.slug, **{name: getattr(article, name) for name in FIELDS}}


def _lay(draft: Mapping[str, str]) -> None:
    saved = article_save(**{**draft, "keywords": draft.get("keywords", "").split(",")}, embed=False)  # type: ignore[arg-type]
    for _ in articles_embed(articles=[saved.pk]):
        pass
