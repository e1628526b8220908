"""Reads of the help centre: published articles only, and of those what the readers may read."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from functools import reduce

from django.db.models import Case, Count, Q, QuerySet, Value, When
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tickets.audience import Readers
from tickets.models import Article
from tickets.search import Hit, search
from tickets.selectors.translations import in_language
from tickets.workspace import workspace

ABOUT = {  # in the order in which most people need them
    Article.Category.PRODUCT: _("Orders, delivery, returns, sizes and care"),
    Article.Category.BILLING: _("Payments, invoices, refunds and gift cards"),
    Article.Category.ACCOUNT: _("Signing in, your data, plans and preferences"),
    Article.Category.TECHNICAL: _("Devices, apps and this website"),
}

RELATED = 0.5  # the confidence of a search from which its finding is about the same


@dataclass(frozen=True, slots=True)
class Shelf:
    """A category with its articles, by title."""

    category: Article.Category
    about: str
    articles: list[Article]


def about(kind: Article.Category) -> str:
    """What a category holds, in a line; the demo's devices have names."""
    if kind == Article.Category.TECHNICAL and workspace().is_default:
        return gettext("Trailmate, Beacon, the app and this website")
    return str(ABOUT[kind])


def published_articles(readers: Readers) -> QuerySet[Article]:
    """Every article that these readers may read."""
    return Article.objects.filter(status=Article.Status.PUBLISHED, audience__in=readers)


def articles_by_words(query: str, *, readers: Readers, limit: int = 5) -> list[Article]:
    """Published articles whose title, keywords or summary share the most words with a question; one plain query.

    What answers while the search itself cannot: no index, no model.
    """
    words = set(re.findall(r"\w{3,}", query.lower()))
    if not words:
        return []
    hits = [
        Case(
            When(Q(title__icontains=word) | Q(keywords__icontains=word) | Q(summary__icontains=word), then=1), default=0
        )
        for word in sorted(words, key=len)[-8:]
    ]
    shared = reduce(operator.add, hits, Value(0))
    found = published_articles(readers).annotate(shared=shared).filter(shared__gte=max(1, len(hits) // 2))
    return list(found.order_by("-shared", "title")[:limit])


def shelves(readers: Readers, category: str | None = None) -> list[Shelf]:
    """The published articles by category (of one category only, when given), without their bodies; one query."""
    found = published_articles(readers).defer("body", "keywords").order_by("title")
    if category:
        found = found.filter(category=category)
    articles = sorted(in_language(found), key=lambda article: article.title.casefold())
    kept = [(kind, [article for article in articles if article.category == kind]) for kind in ABOUT]
    return [Shelf(kind, about(kind), of_kind) for kind, of_kind in kept if of_kind]


def category_counts(readers: Readers) -> dict[str, int]:
    """How many articles each category has for these readers; those without any are not named."""
    counted = published_articles(readers).order_by().values_list("category").annotate(number=Count("pk"))
    return dict(counted)


def related_articles(article: Article, readers: Readers, limit: int = 4) -> list[Hit]:
    """Other articles about the same matter, the nearest first; fewer when only so many are."""
    found = search(f"{article.title}. {article.summary}", readers=readers, limit=limit + 1)
    return [hit for hit in found if hit.slug != article.slug and hit.score >= RELATED][:limit]
