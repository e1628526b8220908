"""The help centre: shelves, search, a category's page and an article's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html, strip_tags
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from tickets import markdown, structured
from tickets.audience import STAFF, Readers
from tickets.models import Article
from tickets.search import search
from tickets.selectors.articles import ABOUT, about, category_counts, published_articles, related_articles, shelves
from tickets.selectors.translations import in_language, languages_of_article
from tickets.views.help_feedback import feedback_context
from tickets.views.readers import for_readers

MAX_QUERY = 300
LONG = 4  # headings from which a table of contents helps
_HEADING = re.compile(r"<h2>(.*?)</h2>", re.DOTALL)
_TABLE = re.compile(r"<table>.*?</table>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Heading:
    id: str
    text: str


@require_safe
@for_readers
def home(request: HttpRequest, readers: Readers) -> HttpResponse:
    """`?q=` searches, `?category=` keeps to one (an unknown one is none); without a search it has its own page."""
    query, kind = read_query(request)
    if kind and not query:
        return redirect("help_category", kind, permanent=True)
    found = [] if query else shelves(readers)
    context = {
        "query": query,
        "category": kind,
        "categories": list(ABOUT),
        "counts": {shelf.category.value: len(shelf.articles) for shelf in found},
        "hits": search(query, readers=readers, category=kind or None) if query else None,
        "shelves": found,
        "ask": asked(query),
        "marks": readers == STAFF,
        "site": structured.site(),
    }
    return render(request, "help/home.html", context)


@require_safe
@for_readers
def category(request: HttpRequest, readers: Readers, category: str) -> HttpResponse:
    """Every article of a category; one without any is still a page."""
    if category not in Article.Category.values:
        raise Http404
    kind = Article.Category(category)
    articles = [article for shelf in shelves(readers, kind) for article in shelf.articles]
    path = reverse("help_category", args=[kind])
    context = {
        "kind": kind,
        "about": about(kind),
        "category": kind.value,
        "categories": list(ABOUT),
        "counts": category_counts(readers),
        "articles": articles,
        "marks": readers == STAFF,
        "path": path,
        "collection": structured.collection(str(kind.label), path, articles),
        "breadcrumbs": structured.breadcrumbs((_("Help centre"), reverse("help")), (str(kind.label), path)),
    }
    return render(request, "help/category.html", context)


@require_safe
@for_readers
def article(request: HttpRequest, readers: Readers, slug: str) -> HttpResponse:
    """A published article; a draft, or one for others, is as little there as one that never was."""
    found = in_language([get_object_or_404(published_articles(readers), slug=slug)])[0]
    body, headings = with_anchors(markdown.render(found.body))
    kind, path = Article.Category(found.category), found.get_absolute_url()
    shelf = reverse("help_category", args=[kind])
    context = {
        "article": found,
        "languages": languages_of_article(found),
        "shelf": shelf,
        "body": body,
        "headings": headings if len(headings) >= LONG else [],
        "related": related_articles(found, readers),
        "marks": readers == STAFF,
        "ask": ask_link(_("I have a question about “%(title)s”: ") % {"title": found.title}),
        "told": structured.article(found),
        "breadcrumbs": structured.breadcrumbs(
            (_("Help centre"), reverse("help")), (str(kind.label), shelf), (found.title, path)
        ),
        **feedback_context(request.session, found),
    }
    return render(request, "help/article.html", context)


def read_query(request: HttpRequest) -> tuple[str, str]:
    """(what is searched for, the category it keeps to), each empty when there is none."""
    kind = request.GET.get("category", "")
    query = " ".join(request.GET.get("q", "").replace("\x00", "").split())[:MAX_QUERY]
    return query, kind if kind in Article.Category.values else ""


def asked(query: str) -> str:
    """The chat, with what was searched for in its composer."""
    return ask_link(query) if query else "/"


def ask_link(text: str) -> str:
    """The chat with this text in its composer."""
    return "/?" + urlencode({"ask": text})


def with_anchors(html: str) -> tuple[str, list[Heading]]:
    """Give the headings of rendered Markdown ids and links to themselves, and tables a frame to scroll in."""
    headings: list[Heading] = []

    def anchor(match: re.Match[str]) -> str:
        text = unescape(strip_tags(match[1]))
        base = slugify(text) or "section"
        taken = sum(heading.id == base or heading.id.startswith(f"{base}-") for heading in headings)
        heading = Heading(f"{base}-{taken + 1}" if taken else base, text)
        headings.append(heading)
        label = _("Link to this section: %(title)s") % {"title": text}
        link = format_html('<a class="anchor" href="#{}" aria-label="{}">#</a>', heading.id, label)
        return f'<div class="titled"><h2 id="{heading.id}">{match[1]}</h2>{link}</div>'

    framed = _TABLE.sub(
        lambda match: (
            format_html('<div class="table" tabindex="0" role="group" aria-label="{}">', _("Table"))
            + f"{match[0]}</div>"
        ),
        html,
    )
    return _HEADING.sub(anchor, framed.replace("<th></th>", "<td></td>")), headings
