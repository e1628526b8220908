"""The languages we speak with customers: what a locale means, speaking one for a while, and money and days in it.

Texts for customers are made in the language that is active; whoever makes one outside of a request activates it by
`speaking(conversation.locale)`.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType

from django.conf import settings
from django.utils import formats, translation
from django.utils.functional import Promise

from tickets.workspace import workspace

Words = str | Promise
"""A text, or one that is still in no language: str() puts it into the one that is active."""
ENGLISH = "en"
RIGHT_TO_LEFT = frozenset({"ar"})
SIGNS = MappingProxyType({"USD": "$", "EUR": "€", "GBP": "£", "CAD": "CA$", "AUD": "A$"})
WITHOUT_CENTS = frozenset({"CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"})
NO_BREAK = "\u00a0"


def languages() -> list[tuple[str, str]]:
    """(code, its own name) of every language the workspace offers, in that order; English is always among them."""
    offered = workspace().languages
    return [(code, str(name)) for code, name in settings.LANGUAGES if not offered or code in (ENGLISH, *offered)]


def language_of(locale: str) -> str:
    """'de-AT' and 'de_DE' are 'de'; what we do not speak is English."""
    code = locale.replace("_", "-").partition("-")[0].lower()
    return code if code in dict(languages()) else ENGLISH


def spoken() -> str:
    """The language that is active now."""
    return language_of(translation.get_language() or ENGLISH)


def speaking(locale: str) -> AbstractContextManager[None]:
    """Make texts in this locale's language inside; each thread and task has its own."""
    return translation.override(language_of(locale))


def direction(language: str) -> str:
    """'rtl' or 'ltr', as HTML says it."""
    return "rtl" if language in RIGHT_TO_LEFT else "ltr"


def money(amount: Decimal | str, currency: str = "") -> str:
    """'$1,234.50' in English, '1.234,50 $' in German, '1,234.50 US$' in Arabic; what has no sign by its code. Without a
    currency it is the workspace's."""
    currency = currency or workspace().currency
    figure = number(amount, 0 if currency in WITHOUT_CENTS else 2)
    sign = SIGNS.get(currency, currency)
    language = spoken()
    if language == ENGLISH:
        return f"{sign}{figure}" if currency in SIGNS else f"{sign}{NO_BREAK}{figure}"
    if language in RIGHT_TO_LEFT and currency == "USD":
        sign = "US$"  # a lone $ would change sides
    return f"{figure}{NO_BREAK}{sign}"


def number(amount: Decimal | str, places: int = 2) -> str:
    """An amount with its cents: '1,234.50' in English, '1.234,50' in German."""
    return formats.number_format(round(Decimal(amount), places), places, use_l10n=True, force_grouping=True)


def day(when: date | datetime) -> str:
    """'18 Nov 2026', '18. November 2026', '18 de noviembre de 2026': by the language spoken now."""
    return formats.date_format(when, "DATE_FORMAT", use_l10n=True)
