"""Claims in an answer, and whether each traces to something the conversation has seen.

A claim is an identifier, an amount, a date, a percentage, a period or a link. Facts are compared by value, not by
spelling: "18 November 2026" is backed by "2026-11-18T09:00:00Z", "$1,049.00" by "1049.00".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

_IDENTIFIER = re.compile(r"\b(?:AP-\d{4,8}|ALD\d{6,14}|INV-\d{4,8}|[TR]-\d{4,8}|1Z[0-9A-Z]{16})\b", re.IGNORECASE)
_AMOUNT = re.compile(
    r"(?:US\$|[$€£]|\b(?:USD|EUR|GBP)\s?)\s?(\d[\d,]*(?:\.\d{1,2})?)"
    r"|\b(\d[\d,]*\.\d{2})\b"
    r"|\b(\d[\d,]*(?:\.\d{1,2})?)\s?(?:dollars?|euros?|USD|EUR|GBP)\b",
    re.IGNORECASE,
)
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s?(?:%|percent\b)", re.IGNORECASE)
_LINK = re.compile(r"(?:https?://|www\.)[^\s)\]>\"']+|(?<![\w/])/help/[\w-]+/?", re.IGNORECASE)
_UNITS = r"(?:business |working |calendar )?(minute|hour|day|week|month|year)s?"
_NUMBER = r"\d+(?:\.\d+)?"
_PERIOD = re.compile(rf"\b({_NUMBER})(?:\s?(?:-|–|to|or|and)\s?({_NUMBER}))?[\s-]{_UNITS}\b", re.IGNORECASE)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("january", "jan"), ("february", "feb"), ("march", "mar"), ("april", "apr"), ("may",), ("june", "jun"),
            ("july", "jul"), ("august", "aug"), ("september", "sep", "sept"), ("october", "oct"),
            ("november", "nov"), ("december", "dec"),
        ),
        start=1,
    )
    for name in names
}  # fmt: skip
_MONTH = "(" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\.?"
_ISO_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})(?=\b|T)")
_DAY_FIRST = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH}\b,?(?: (\d{{4}}))?", re.IGNORECASE)
_MONTH_FIRST = re.compile(rf"\b{_MONTH} (\d{{1,2}})(?:st|nd|rd|th)?\b,?(?: (\d{{4}}))?", re.IGNORECASE)

IDENTIFIER, AMOUNT, PERCENT, LINK, PERIOD, DATE = "identifier", "amount", "percentage", "link", "period", "date"


@dataclass(frozen=True, slots=True)
class Claim:
    """One checkable statement: its kind, as it was written, and the value it is compared by."""

    kind: str
    text: str
    value: str


def claims(text: str) -> list[Claim]:
    """Every checkable statement of a text, in no particular order."""
    found = [Claim(IDENTIFIER, m[0], m[0].upper()) for m in _IDENTIFIER.finditer(text)]
    found += [Claim(LINK, m[0], m[0].rstrip("/.,").lower()) for m in _LINK.finditer(text)]
    found += [Claim(PERCENT, m[0], _number(m[1])) for m in _PERCENT.finditer(text)]
    found += list(_dates(text))
    for match in _AMOUNT.finditer(text):
        found.append(Claim(AMOUNT, match[0], _number(match[1] or match[2] or match[3])))
    for match in _PERIOD.finditer(text):
        for part in filter(None, (match[1], match[2])):
            found.append(Claim(PERIOD, match[0], f"{_number(part)} {match[3].lower()}"))
    return found


class Evidence:
    """The values that tool results, articles and server notices contain, and the identifiers a customer named."""

    def __init__(self) -> None:
        self._values: set[tuple[str, str]] = set()
        self._day_months: set[str] = set()
        self._plain_numbers: set[str] = set()

    def add(self, text: str) -> None:
        """Facts from a tool result (JSON text), an article or a server notice."""
        for claim in claims(text):
            self._values.add((claim.kind, claim.value))
            if claim.kind == DATE:
                self._day_months.add(claim.value[5:])
        self._plain_numbers.update(_number(m) for m in re.findall(r"(?<![\w.-])\d[\d,]*(?:\.\d+)?(?![\w-])", text))

    def add_customer(self, text: str) -> None:
        """The customer's words back nothing but the identifiers in them."""
        self._values.update((IDENTIFIER, m[0].upper()) for m in _IDENTIFIER.finditer(text))

    def backs(self, claim: Claim) -> bool:
        if (claim.kind, claim.value) in self._values:
            return True
        if claim.kind == DATE and claim.value.startswith("????"):
            return claim.value[5:] in self._day_months
        # A JSON result carries amounts as bare numbers: "total": "129.00", "fee": 4.9.
        return claim.kind == AMOUNT and claim.value in self._plain_numbers


def unbacked(text: str, evidence: Evidence) -> list[Claim]:
    return [claim for claim in claims(text) if not evidence.backs(claim)]


def evidence_of(facts: Iterable[str], customer_words: Iterable[str]) -> Evidence:
    evidence = Evidence()
    for fact in facts:
        evidence.add(fact)
    for words in customer_words:
        evidence.add_customer(words)
    return evidence


def _number(text: str) -> str:
    try:
        return str(Decimal(text.replace(",", "")).normalize() + 0)
    except InvalidOperation:
        return text


def _dates(text: str) -> Iterable[Claim]:
    for match in _ISO_DATE.finditer(text):
        yield from _date_claim(match[0], match[1], int(match[2]), match[3])
    for match in _DAY_FIRST.finditer(text):
        yield from _date_claim(match[0], match[3], _MONTHS[match[2].lower()], match[1])
    for match in _MONTH_FIRST.finditer(text):
        yield from _date_claim(match[0], match[3], _MONTHS[match[1].lower()], match[2])


def _date_claim(text: str, year: str | None, month: int, day: str) -> Iterable[Claim]:
    try:
        checked = date(int(year or 2024), month, int(day))  # 2024 has every day a calendar can have
    except ValueError:
        return
    value = checked.isoformat() if year else "????-" + checked.isoformat()[5:]
    yield Claim(DATE, text.strip(), value)
