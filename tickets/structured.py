"""Pages told to search engines in the words of schema.org (JSON-LD), with full addresses of the configured origin."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from tickets.models import Article
from tickets.workspace import workspace

Thing = dict[str, Any]
_ESCAPED = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}  # nothing may end the element


def absolute(path: str) -> str:
    """The full address of one of our paths."""
    return f"{settings.SITE_ORIGIN.rstrip('/')}{path}"


def block(things: Sequence[Thing]) -> SafeString:
    """A data block: browsers run nothing of it, so that the content security policy has nothing to say."""
    data = {"@context": "https://schema.org", "@graph": list(things)}
    text = json.dumps(data, ensure_ascii=False).translate(_ESCAPED)
    return format_html('<script type="application/ld+json">{}</script>', mark_safe(text))  # noqa: S308 - JSON without < > &


def shop() -> Thing:
    """Who publishes."""
    house = workspace()
    return {"@type": "Organization", "name": house.name, **({"url": house.website} if house.website else {})}


def site() -> Thing:
    """The help centre as a whole, and how to search it."""
    target = f"{absolute('/help/')}?q={{search_term_string}}"
    return {
        "@type": "WebSite",
        "name": workspace().name,
        "url": absolute("/help/"),
        "publisher": shop(),
        "potentialAction": {
            "@type": "SearchAction",
            "target": {"@type": "EntryPoint", "urlTemplate": target},
            "query-input": "required name=search_term_string",
        },
    }


def breadcrumbs(*steps: tuple[str, str]) -> Thing:
    """(name, path) of each page on the way, the present one last."""
    items = [
        {"@type": "ListItem", "position": at, "name": str(name), "item": absolute(path)}
        for at, (name, path) in enumerate(steps, 1)
    ]
    return {"@type": "BreadcrumbList", "itemListElement": items}


def collection(name: str, path: str, articles: Sequence[Article]) -> Thing:
    """A category with its articles."""
    items = [
        {"@type": "ListItem", "position": at, "name": article.title, "url": absolute(article.get_absolute_url())}
        for at, article in enumerate(articles, 1)
    ]
    return {
        "@type": "CollectionPage",
        "name": str(name),
        "url": absolute(path),
        "inLanguage": get_language() or "en",
        "mainEntity": {"@type": "ItemList", "numberOfItems": len(items), "itemListElement": items},
    }


def article(found: Article) -> Thing:
    return {
        "@type": "Article",
        "headline": found.title,
        "description": found.summary or found.title,
        "datePublished": found.created_at.isoformat(),
        "dateModified": found.updated_at.isoformat(),
        "inLanguage": found.shown_in,
        "articleSection": str(found.get_category_display()),
        "mainEntityOfPage": absolute(found.get_absolute_url()),
        "author": shop(),
        "publisher": shop(),
    }
