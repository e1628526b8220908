"""The menu of languages, and money in the language of the page."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import template
from django.conf import settings
from django.http import QueryDict
from django.template import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from tickets import languages
from tickets.models import Article

register = template.Library()
KEPT = ("q", "category", "next", "token", "to")


@register.inclusion_tag("parts/language_menu.html", takes_context=True)
def language_menu(context: Context) -> dict[str, Any]:
    """A page rendered without its request (an error's) has none: its form could not be sent."""
    request = context.get("request")
    spoken = languages.spoken()
    found = languages.languages()
    return {
        "languages": found,
        "spoken": spoken,
        "name": dict(found)[spoken],
        "next": _without_locale(request) if request is not None else "",
        "csrf_token": context.get("csrf_token"),
    }


@register.simple_tag
def page_direction() -> str:
    """'rtl' or 'ltr' of the language spoken on this page."""
    return languages.direction(languages.spoken())


@register.filter
def direction_of(language: str) -> str:
    """'rtl' or 'ltr' of a part in another language than the page's."""
    return languages.direction(language)


@register.filter
def amount(value: Decimal | str, currency: str = "") -> str:
    """$1,234.50, or as the page's language writes it."""
    return languages.money(value, currency)


@register.simple_tag
def other_language(language: str) -> SafeString:
    """` lang="…" dir="…"` for a part in another language than its page; nothing for the page's own."""
    if language == languages.spoken():
        return mark_safe("")
    return format_html(' lang="{}" dir="{}"', language, languages.direction(language))


@register.inclusion_tag("help/language_note.html")
def language_note(article: Article) -> dict[str, Any]:
    """That an article is there in English only, where another language is spoken."""
    return {"missing": article.shown_in != languages.spoken(), "name": dict(languages.languages())[languages.spoken()]}


@register.simple_tag
def article_address(article: Article) -> str:
    """The address that always shows the article in the language it is shown in now."""
    path = article.get_absolute_url()
    return path if article.shown_in == languages.ENGLISH else f"{path}?locale={article.shown_in}"


@register.simple_tag
def article_alternates(article: Article, found: list[str]) -> SafeString:
    """For search engines: the article's address in each language it can be read in."""
    url = f"{settings.SITE_ORIGIN}{article.get_absolute_url()}"
    links = [("x-default", url), *((language, f"{url}?locale={language}") for language in found)]
    return format_html_join("\n", '<link rel="alternate" hreflang="{}" href="{}">', links)


def _without_locale(request: Any) -> str:
    """This page's address with what it is about; not the language it was asked for in, nor long texts for the field."""
    query = QueryDict(mutable=True)
    query.update({name: request.GET[name][:300] for name in KEPT if name in request.GET})
    return f"{request.path}?{query.urlencode()}" if query else str(request.path)
