"""The menu of languages, and money in the language of the page."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import template
from django.template import Context

from tickets import languages

register = template.Library()


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
def amount(value: Decimal | str, currency: str = "USD") -> str:
    """$1,234.50, or as the page's language writes it."""
    return languages.money(value, currency)


def _without_locale(request: Any) -> str:
    """This page's address, without the language it was asked for in."""
    query = request.GET.copy()
    query.pop("locale", None)
    return f"{request.path}?{query.urlencode()}" if query else str(request.path)
