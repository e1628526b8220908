"""Reads of what readers thought of articles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q

from tickets.models import Article, ArticleFeedback

COMMENTS = 4


@dataclass(frozen=True, slots=True)
class Unhelpful:
    """An article that did not help everybody: how many said so, of how many, and their latest words."""

    article: Article
    no: int
    of: int
    comments: list[str] = field(default_factory=list)


def feedback_by_id(article: Article, given: Mapping[str, str]) -> ArticleFeedback | None:
    """A browser's own answer about an article; `given` maps articles' ids to those of the rows it wrote."""
    key = given.get(str(article.pk))
    return ArticleFeedback.objects.filter(pk=key, article=article).first() if key else None


def unhelpful_articles(start: datetime, end: datetime, *, limit: int = 10) -> list[Unhelpful]:
    """The articles that most readers of the span called not helpful, the most frequent first; two queries."""
    span = Q(feedback__created_at__gte=start, feedback__created_at__lt=end)
    counted = Article.objects.annotate(
        no=Count("feedback", span & Q(feedback__helpful=False)), of=Count("feedback", span)
    )
    found = list(counted.filter(no__gt=0).defer("body").order_by("-no", "of", "title")[:limit])
    said: dict[UUID, list[str]] = defaultdict(list)
    rows = ArticleFeedback.objects.filter(article__in=found, created_at__gte=start, created_at__lt=end, helpful=False)
    for article, comment in rows.exclude(comment="").order_by("-created_at").values_list("article_id", "comment"):
        if len(said[article]) < COMMENTS:
            said[article].append(comment)
    return [Unhelpful(one, one.no, one.of, said[one.pk]) for one in found]
