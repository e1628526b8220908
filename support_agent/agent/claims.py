"""The checkable statements of a text: identifiers, amounts, dates, percentages, periods, links and deeds.

A claim is compared by value, not by spelling: "18 November 2026" and "11/18/2026" both mean 2026-11-18, "$1,049.00"
and "1.049,00 USD" the same money, "two weeks" 14 days. Where a spelling is ambiguous, a claim has several values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import product

from support_agent.agent import tongues
from support_agent.agent.done import said_done
from support_agent.agent.identifiers import formats
from support_agent.agent.tongues import western

IDENTIFIER, AMOUNT, PERCENT, LINK, PERIOD, DATE = "identifier", "amount", "percentage", "link", "period", "date"
PROMISE, DEED = "promise", "deed"


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement: its kind, as it was written, and the values it can mean; one of them backed is enough.

    Values: identifiers in capitals, phone numbers by their last ten digits, amounts "1049 USD" or "1049", percentages
    "20", links without scheme, periods "12 s", "3–5 s" or "24 mo", dates "2026-11-18", "--11-18" or "2026-11", deeds
    "refunded".
    """

    kind: str
    text: str
    values: tuple[str, ...]


def claims(text: str) -> list[Claim]:
    """Every checkable statement of a text, in no particular order. Their texts have the digits 0-9."""
    text = western(text)
    has_digits = bool(_DIGIT.search(text))
    return [
        *_identifiers(text),
        *(_links(text) if _LINK_MARK.search(text) else ()),
        *((*_dates(text), *_amounts(text), *_percents(text)) if has_digits else ()),
        *_periods(text),
        *_promises(text),
        *(Claim(DEED, sentence, (deed,)) for sentence, deed in said_done(text)),
    ]


def figures(text: str) -> Iterator[str]:
    """The values of all numbers in a text, whatever they count."""
    for match in re.finditer(rf"(?<![\w.-]){_FIGURE}(?![\w-])", western(text)):
        yield from _values_of(match[0])


def number(text: str | float | Decimal) -> str:
    """A number in its shortest form: '4.90' and '4.9' are the same."""
    return str(Decimal(str(text)).normalize() + 0)


# What no date, amount or percentage, and no link of any kind, can be without.
_DIGIT = re.compile(r"\d")
_LINK_MARK = re.compile(r"[:/]|\.\w|www\.| \. |[\[({]\s?(?:\.|dot)", re.IGNORECASE)

# --- identifiers and links
_IDENTIFIER = re.compile(
    r"(?<![A-Za-z0-9_])(?i:AP-\d{4,8}|ALD\d{6,14}|INV-\d{4,8}|[TR]-\d{4,8}|1Z[0-9A-Z]{16})\b"
    r"|(?<![\w-])(?=[A-Z-]*\d)[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)+(?![\w-])"  # SKUs and error codes
    r"|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
)
_PHONE = re.compile(r"(?<![\w.-])(?:(?:\+?\d{1,3}[ .-]?)?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}|\+\d{8,15})(?![\w-])")
_LINK = re.compile(
    r"(?:https?://|www\.)[^\s)\]>\"'\\]+|(?<![\w/])/help/[\w-]+/?"
    r"|(?<![@\w./-])[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|io|shop|example|dev|info|biz|xyz|app|site|online|top|club"
    r"|live|link|click|co|me|ru|cn|de|uk|us|ca|eu|fr|tk|ly|gg|icu)\b(?:/[^\s)\]>\"'\\]*)?"
    r"|(?<![@\w./-])(?:[a-z0-9-]+\.)+[a-z]{2,24}/[^\s)\]>\"'\\]+"
    # Schemes of any name, hosts without one, numbers for a host, and addresses in disguise.
    r"|\b[a-z][a-z0-9+.-]*://[^\s)\]>\"'\\]+|(?<![\w:/])//[\w-][^\s)\]>\"'\\]*|\b(?:javascript|vbscript|data|mailto):[^\s)\]]+"
    r"|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]\d)(?::\d+)?[^\s)\]]*|\b[\w-]+\s?[\[({]\s?(?:\.|dot)\s?[\])}]\s?\w{2,}"
    r"|\b[\w-]+ \. (?:com|org|net|io|example|ru|info|xyz)\b",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"^(?:https?://)?(?:www\.)?", re.IGNORECASE)


def _identifiers(text: str) -> Iterator[Claim]:
    for match in _IDENTIFIER.finditer(text):
        yield Claim(IDENTIFIER, match[0], (match[0].upper(),))
    for found in formats().found_in(text):
        if not _IDENTIFIER.fullmatch(found):  # the company's own kinds
            yield Claim(IDENTIFIER, found, (found.upper(),))
    for match in _PHONE.finditer(text):
        yield Claim(IDENTIFIER, match[0], (re.sub(r"\D", "", match[0])[-10:],))


def _links(text: str) -> Iterator[Claim]:
    for match in _LINK.finditer(text):
        yield Claim(LINK, match[0], (_SCHEME.sub("", match[0]).rstrip("/.,;:!?*").lower(),))


# --- money and percentages
_FIGURE = r"\d+(?:[.,'’\u00a0\u202f]\d{3})*(?:[.,]\d{1,2})?(?!\d)"
_DOLLARS = ("USD", "CAD", "AUD")
_CURRENCIES = {
    "$": _DOLLARS, "US$": ("USD",), "CA$": ("CAD",), "C$": ("CAD",), "A$": ("AUD",), "€": ("EUR",), "£": ("GBP",),
    "dollar": _DOLLARS, "us dollar": ("USD",), "canadian dollar": ("CAD",), "buck": _DOLLARS, "euro": ("EUR",),
    **{code: (code,) for code in ("USD", "EUR", "GBP", "CAD", "AUD", "CHF")},
}  # fmt: skip
_CODES = "USD|EUR|GBP|CAD|AUD|CHF"
_CENT = rf"%|percent\b|per cent\b|{tongues.PERCENT}"
_AMOUNT = re.compile(
    rf"(?P<before>US\$|CA?\$|A\$|[$€£]|\b(?i:{_CODES}))\s?(?P<first>{_FIGURE})"
    rf"|(?<![\w.,-])(?P<second>{_FIGURE})\s?"
    rf"(?P<after>US\$|CA?\$|A\$|[$€£]|(?i:(?:{_CODES}|(?:US |Canadian )?dollars?|bucks?|euros?)\b|{tongues.MONEY}))"
    rf"|(?<![\w.,-])(?P<bare>\d[\d,]*\.\d{{2}}|\d[\d.]*,\d{{2}})(?!\d|[.,]\d|\s?(?:{_CENT}))"
)
_PERCENT = re.compile(rf"(?<![\w.])(\d+(?:[.,]\d+)?)\s?(?:{_CENT})", re.IGNORECASE)


def _amounts(text: str) -> Iterator[Claim]:
    text = _GERMAN.sub(" ", text)
    for match in _AMOUNT.finditer(text):
        sign = match["before"] or match["after"] or ""
        word = sign.lower().removesuffix("s").removesuffix("ات").removesuffix("ًا").removesuffix("ا")
        known = _CURRENCIES.get(sign.upper()) or _CURRENCIES.get(tongues.MONEY_OF.get(word, word)) or ("",)
        written = match["first"] or match["second"] or match["bare"]
        values = tuple(f"{value} {code}".strip() for value, code in product(_values_of(written), known))
        yield Claim(AMOUNT, match[0], values)


def _percents(text: str) -> Iterator[Claim]:
    for match in _PERCENT.finditer(text):
        yield Claim(PERCENT, match[0], (number(match[1].replace(",", ".")),))


def _values_of(written: str) -> tuple[str, ...]:
    """What a figure can mean: '1,049.00' and '1.049,00' are 1049, '4,95' is 4.95, '1.049' is either."""
    text = re.sub(r"['’\u00a0\u202f]", "", written)
    point = max(text.rfind("."), text.rfind(","))
    if point < 0:
        return (number(text),)
    whole, rest = re.sub(r"[.,]", "", text[:point]), text[point + 1 :]
    if len(rest) != 3 or not re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", text):
        return (number(f"{whole}.{rest}"),)
    together = number(whole + rest)
    return (together,) if text[point] == "," or len(text) > 7 else (together, number(f"{whole}.{rest}"))


# --- periods
_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "fourteen": 14, "fifteen": 15, "twenty": 20, "thirty": 30, "sixty": 60, "ninety": 90,
}  # fmt: skip
_WORDS.update(tongues.COUNTS)
_COUNT = rf"\d+(?:\.\d+)?|{'|'.join(sorted(_WORDS, key=len, reverse=True))}"
_UNITS = {
    "second": ("s", 1), "sec": ("s", 1), "s": ("s", 1), "minute": ("s", 60), "min": ("s", 60), "hour": ("s", 3600),
    "hr": ("s", 3600), "h": ("s", 3600), "day": ("s", 86_400), "week": ("s", 604_800),
    "month": ("mo", 1), "year": ("mo", 12), "yr": ("mo", 12),
}  # fmt: skip
_PERIOD = re.compile(
    rf"(?<![\w.,-])({_COUNT})(?:\s?(-|–|—|(?:to|or|and|{tongues.TO}|{tongues.OR})(?!\w))\s?({_COUNT}))?"
    r"[\s-](?:(?:business|working|calendar|full|more)[ -])?"
    rf"((?:{'|'.join(sorted(tongues.UNITS, key=len, reverse=True))})(?!\w)"
    r"|(?:second|sec|minute|min|hour|hr|day|week|month|year|yr|(?-i:h|s)(?![\w'’]))s?\b)",
    re.IGNORECASE,
)


_OR = {"or", "and", *tongues.OR.split("|")}
_PHRASE = re.compile(rf"(?<!\w)(?:{'|'.join(tongues.PHRASES)})(?!\w)", re.IGNORECASE)


def _periods(text: str) -> Iterator[Claim]:
    for match in _PERIOD.finditer(text):
        unit, factor = _unit(match[4].lower())
        ends = [number(Decimal(_WORDS.get(end.lower(), end)) * factor) for end in (match[1], match[3]) if end]
        if len(ends) == 2 and match[2].lower() not in _OR:
            yield Claim(PERIOD, match[0], (f"{ends[0]}–{ends[1]} {unit}",))
        else:
            yield from (Claim(PERIOD, match[0], (f"{end} {unit}",)) for end in ends)
    for match in _PHRASE.finditer(text):
        unit, count = tongues.PHRASES[match[0].lower()]
        yield Claim(PERIOD, match[0], (f"{count} {unit}",))


def _unit(written: str) -> tuple[str, int]:
    return tongues.UNITS.get(written) or _UNITS.get(written) or _UNITS[written.removesuffix("s")]


# --- dates
_MONTHS = {
    name: month
    for month, names in enumerate(
        (
            ("january", "jan"), ("february", "feb"), ("march", "mar"), ("april", "apr"), ("may",), ("june", "jun"),
            ("july", "jul"), ("august", "aug"), ("september", "sep", "sept"), ("october", "oct"),
            ("november", "nov"), ("december", "dec"),
        ),
        start=1,
    )
    for name in names
}  # fmt: skip
_MONTHS.update(tongues.MONTHS)
_NAMES = ("(?-i:May|MAY)" if name == "may" else name for name in sorted(_MONTHS, key=len, reverse=True))
_MONTH = "(" + "|".join(_NAMES) + r")\b\.?"
_DAY = r"(\d{1,2})(?:st|nd|rd|th|er|º|\.)?"
_WEEKDAYS = "|".join([*tongues.WEEKDAYS, "mon", "tue", "wed", "thu", "fri", "sat", "sun"])
_WEEKDAY = rf"(?:\b({_WEEKDAYS})[a-z]*\.?,? (?:the |den |dem |le )?)?"
_UNTIL = rf"(?:\s?(?:-|–|(?:to|and|{tongues.TO}|{tongues.OR})\b)\s?{_DAY})?"
_ISO = re.compile(r"(?<![\w-])(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?![\d-])")
_NUMERIC = re.compile(r"(?<![\w./-])(\d{1,2})(?:/(\d{1,2})/(\d{4}|\d{2})|\.\s?(\d{1,2})\.\s?(\d{4}))(?![\w/])")
_DAY_FIRST = re.compile(
    rf"{_WEEKDAY}\b{_DAY}{_UNTIL}(?: of| de)?[\s-]{_MONTH}(?:,?[\s-](?:del? )?(\d{{4}})\b)?",
    re.I,
)
_MONTH_FIRST = re.compile(rf"{_WEEKDAY}\b{_MONTH}[\s-]{_DAY}(?:\s?(?:-|–|to|and)\s?{_DAY})?\b(?:,? (\d{{4}})\b)?", re.I)
_MONTH_YEAR = re.compile(rf"\b{_MONTH},? (?:del? )?(\d{{4}})\b", re.I)
_GERMAN = re.compile(r"\b(?:am|vom|zum|bis|ab|seit|den|dem) (\d{1,2})\.\s?(\d{1,2})\.(?!\s?\d)", re.I)


def _dates(text: str) -> Iterator[Claim]:
    for match in _ISO.finditer(text):
        yield from _date(match[0], match[1], int(match[2]), match[3])
    for match in _NUMERIC.finditer(text):
        year = match[3] or match[5]
        one, two = match[1], match[2] or match[4]
        either = [*_date("", year, int(one), two), *_date("", year, int(two), one)]
        if either:
            yield Claim(DATE, match[0], tuple(value for claim in either for value in claim.values))
    for match in _GERMAN.finditer(text):
        if 1 <= int(match[2]) <= 12:
            yield from _date(match[0], None, int(match[2]), match[1])
    for match in _DAY_FIRST.finditer(text):
        for day in filter(None, (match[2], match[3])):
            yield from _date(match[0], match[5], _MONTHS[match[4].lower()], day, match[1])
    for match in _MONTH_FIRST.finditer(text):
        for day in filter(None, (match[3], match[4])):
            yield from _date(match[0], match[5], _MONTHS[match[2].lower()], day, match[1])
    for match in _MONTH_YEAR.finditer(text):
        yield Claim(DATE, match[0], (f"{match[2]}-{_MONTHS[match[1].lower()]:02}",))


def _date(text: str, year: str | None, month: int, day: str, weekday: str | None = None) -> Iterable[Claim]:
    """The day as a claim, or nothing when the calendar has no such day."""
    full = f"20{year}" if year and len(year) == 2 else year
    try:
        checked = date(int(full or 2024), month, int(day))  # 2024 has every day a calendar can have
    except ValueError:
        return
    weekday = weekday and tongues.WEEKDAYS.get(weekday.lower(), weekday.lower())
    if full and weekday and f"{checked:%a}".lower() != weekday:
        yield Claim(DATE, text.strip(), ())  # a Friday that is none: nothing can back it
    elif full:
        yield Claim(DATE, text.strip(), (checked.isoformat(),))
    else:
        yield Claim(DATE, text.strip(), (f"--{checked:%m-%d}" + (f" {weekday}" if weekday else ""),))


# --- promises without a figure: "we'll refund you tomorrow", "it will be there by Friday"
_WHEN = re.compile(
    r"\b(tomorrow|tonight|today|this (?:week|month|morning|afternoon|evening)|next (?:week|month)|immediately|instantly"
    r"|right away|(?:by|on|before) (?:mon|tues|wednes|thurs|fri|satur|sun)day|within the (?:hour|day|week))\b",
    re.IGNORECASE,
)
_WILL = re.compile(rf"\b(?:will|shall|going to)\b|'ll\b|’ll\b|{tongues.WILL}", re.IGNORECASE)
_DAY_NAMES = {name: f"{name}day" for name in ("mon", "fri", "sun")} | {
    "tue": "tuesday",
    "wed": "wednesday",
    "thu": "thursday",
    "sat": "saturday",
}


def times_named(text: str) -> set[str]:
    """The relative times in a text: 'tomorrow', 'next week', 'friday'."""
    text = western(text)
    found = {re.sub(r"^(?:by|on|before) ", "", match[0].lower()) for match in _WHEN.finditer(text)}
    for pattern, says in tongues.WHEN:
        for match in pattern.finditer(text):
            found.add(says or _DAY_NAMES[tongues.WEEKDAYS[match[1].lower()]])
    return found


def _promises(text: str) -> Iterator[Claim]:
    for sentence in re.split(r"(?<=[.!?])\s", text):
        if _WILL.search(sentence):
            yield from (Claim(PROMISE, sentence.strip()[:80], (when,)) for when in times_named(sentence))
