"""What somebody who is still typing may look for: titles with words that begin so, and what search finds."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.db.models import Q
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import slugify

from tickets.audience import EVERYONE, STAFF, Readers
from tickets.languages import spoken
from tickets.models import Article, ArticleTranslation
from tickets.search import Hit, search
from tickets.selectors.articles import published_articles
from tickets.selectors.translations import in_language

LEAST = 2  # letters from which it is worth asking
LEAST_SURE = 0.5  # of a search's findings: half a word must not bring up just anything
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An article; `title_html` is its title with the typed beginnings marked, `where` its section or its category."""

    title_html: SafeString
    url: str
    where: str


def suggestions(query: str, *, readers: Readers, category: str | None = None, limit: int = 6) -> list[Suggestion]:
    """Those of these readers' articles that are most likely meant, best first: found both ways, then by title, then by
    search alone."""
    words = [word.lower() for word in _WORD.findall(query)]
    if len("".join(words)) < LEAST:
        return []
    titled = {article.slug: article for article in _by_title(words, readers, category, limit)}
    hits = [hit for hit in search(query, readers=readers, category=category, limit=limit) if hit.score >= LEAST_SURE]
    found = [_of_hit(hit, words, readers) for hit in hits if hit.exact or hit.slug in titled]
    named = {hit.slug for hit in hits if hit.exact or hit.slug in titled}
    found += [_of_article(article, words, readers) for slug, article in titled.items() if slug not in named]
    found += [_of_hit(hit, words, readers) for hit in hits if hit.slug not in named]
    return found[:limit]


def _by_title(words: list[str], readers: Readers, category: str | None, limit: int) -> list[Article]:
    """Published articles whose title holds a word that begins with each of those typed, those whose title is in the
    page's language first, then the shortest."""
    published = published_articles(readers).only("slug", "title", "category", "audience")
    if category:
        published = published.filter(category=category)
    language, named = spoken(), Q()
    for word in words[:8]:
        named &= Q(title__iregex=rf"\m{re.escape(word)}")
    theirs = ArticleTranslation.objects.filter(named, language=language, status=Article.Status.PUBLISHED)
    found = [*published.filter(named)[:50], *published.filter(pk__in=theirs.values("article"))[:50]]
    shown = in_language({article.pk: article for article in found}.values(), language)
    return sorted(shown, key=lambda one: (one.shown_in != language, len(one.title), one.title))[:limit]


def _of_hit(hit: Hit, words: list[str], readers: Readers) -> Suggestion:
    anchor = f"#{slugify(hit.section)}" if hit.section else ""
    where = hit.section or _category(hit.category)
    return Suggestion(marked(hit.title, words), hit.url + anchor, where + _mark(hit.audience, readers))


def _of_article(article: Article, words: list[str], readers: Readers) -> Suggestion:
    where = _category(article.category) + _mark(article.audience, readers)
    return Suggestion(marked(article.title, words), article.get_absolute_url(), where)


def _mark(audience: str, readers: Readers) -> str:
    """Whose it is, for staff, who see everybody's."""
    return f" · {Article.Audience(audience).label}" if readers == STAFF and audience not in EVERYONE else ""


def _category(value: str) -> str:
    return str(Article.Category(value).label)


def marked(title: str, words: list[str]) -> SafeString:
    """The title as safe HTML, with <mark> round what begins with a typed word."""
    pattern = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    parts = re.split(rf"(?i)\b({pattern})", title)  # every second part is a match
    pairs = ((parts[at], parts[at + 1] if at + 1 < len(parts) else "") for at in range(0, len(parts), 2))
    return format_html_join(
        "", "{}{}", ((plain, format_html("<mark>{}</mark>", hit) if hit else "") for plain, hit in pairs)
    )
