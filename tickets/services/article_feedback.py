"""Whether articles help, by those who read them."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from tickets.models import Article, ArticleFeedback
from tickets.redaction import without_personal

LONGEST = ArticleFeedback._meta.get_field("comment").max_length or 500


@transaction.atomic
def article_feedback_give(
    *, article: Article, helpful: bool, comment: str | None = None, earlier: UUID | str | None = None
) -> ArticleFeedback:
    """Keep a reader's answer; `earlier` is the one of the same browser, which this one replaces.

    Without a `comment` (None) the earlier one stays as long as the answer does. What names a person is hidden before it
    is kept: nobody could have such a row found and erased again.
    """
    row = ArticleFeedback.objects.select_for_update().filter(pk=earlier, article=article).first() if earlier else None
    row = row or ArticleFeedback(article=article)
    if helpful:
        row.comment = ""
    elif comment is not None:
        row.comment = without_personal(" ".join(comment.replace("\x00", "").split())[:LONGEST])[:LONGEST]
    row.helpful = helpful
    row.save()
    return row
