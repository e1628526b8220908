"""Reads of the help centre: published articles only."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from functools import reduce

from django.db.models import Case, Q, QuerySet, Value, When

from tickets.models import Article
from tickets.search import Hit, search
from tickets.selectors.translations import in_language

ABOUT = {  # in the order in which most people need them
    Article.Category.PRODUCT: "Orders, delivery, returns, sizes and care",
    Article.Category.BILLING: "Payments, invoices, refunds and gift cards",
    Article.Category.ACCOUNT: "Signing in, your data, plans and preferences",
    Article.Category.TECHNICAL: "Trailmate, Beacon, the app and this website",
}


@dataclass(frozen=True, slots=True)
class Shelf:
    """A category with its articles, by title."""

    category: Article.Category
    about: str
    articles: list[Article]


def published_articles() -> QuerySet[Article]:
    """Every article that everyone may read."""
    return Article.objects.filter(status=Article.Status.PUBLISHED)


def articles_by_words(query: str, *, limit: int = 5) -> list[Article]:
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
    found = published_articles().annotate(shared=shared).filter(shared__gte=max(1, len(hits) // 2))
    return list(found.order_by("-shared", "title")[:limit])


def shelves(category: str | None = None) -> list[Shelf]:
    """The published articles by category (of one category only, when given), without their bodies; one query."""
    found = published_articles().defer("body", "keywords").order_by("title")
    if category:
        found = found.filter(category=category)
    articles = sorted(in_language(found), key=lambda article: article.title.casefold())
    kept = [(kind, [article for article in articles if article.category == kind]) for kind in ABOUT]
    return [Shelf(kind, ABOUT[kind], of_kind) for kind, of_kind in kept if of_kind]


def related_articles(article: Article, limit: int = 4) -> list[Hit]:
    """Other articles about the same matter, the nearest first."""
    return [hit for hit in search(article.title, limit=limit + 1) if hit.slug != article.slug][:limit]
