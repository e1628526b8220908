"""The help centre: search and shelves, and an article's page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.html import strip_tags
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from tickets import markdown
from tickets.models import Article
from tickets.search import search
from tickets.selectors.articles import ABOUT, published_articles, related_articles, shelves
from tickets.selectors.translations import in_language, languages_of_article

MAX_QUERY = 300
LONG = 4  # headings from which a table of contents helps
_HEADING = re.compile(r"<h2>(.*?)</h2>", re.DOTALL)
_TABLE = re.compile(r"<table>.*?</table>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Heading:
    id: str
    text: str


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """`?q=` searches, `?category=` keeps to one shelf; an unknown category is none."""
    query = " ".join(request.GET.get("q", "").split())[:MAX_QUERY]
    category = request.GET.get("category", "")
    if category not in Article.Category.values:
        category = ""
    context = {
        "query": query,
        "category": category,
        "categories": list(ABOUT),
        "hits": search(query, category=category or None) if query else None,
        "shelves": [] if query else shelves(category or None),
        "ask": ask_link(query) if query else "/",
    }
    return render(request, "help/home.html", context)


@require_safe
def article(request: HttpRequest, slug: str) -> HttpResponse:
    """A published article; a draft is as little there as one that never was."""
    found = in_language([get_object_or_404(published_articles(), slug=slug)])[0]
    body, headings = with_anchors(markdown.render(found.body))
    context = {
        "article": found,
        "languages": languages_of_article(found),
        "body": body,
        "headings": headings if len(headings) >= LONG else [],
        "related": related_articles(found),
        "ask": ask_link(found.title),
    }
    return render(request, "help/article.html", context)


def ask_link(text: str) -> str:
    """The chat with this text in its composer."""
    return "/?" + urlencode({"ask": text})


def with_anchors(html: str) -> tuple[str, list[Heading]]:
    """Give the headings of rendered Markdown ids that links can name, and tables a frame to scroll in."""
    headings: list[Heading] = []

    def anchor(match: re.Match[str]) -> str:
        text = strip_tags(match[1])
        base = slugify(text) or "section"
        taken = sum(heading.id == base or heading.id.startswith(f"{base}-") for heading in headings)
        heading = Heading(f"{base}-{taken + 1}" if taken else base, text)
        headings.append(heading)
        return f'<h2 id="{heading.id}">{match[1]}</h2>'

    framed = _TABLE.sub(
        lambda match: f'<div class="table" tabindex="0" role="group" aria-label="Table">{match[0]}</div>', html
    )
    return _HEADING.sub(anchor, framed.replace("<th></th>", "<td></td>")), headings
