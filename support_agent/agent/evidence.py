"""What the conversation has seen, and whether each claim of an answer traces to it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import date
from typing import Any

from support_agent.agent.claims import (
    AMOUNT,
    DATE,
    DEED,
    IDENTIFIER,
    PERCENT,
    PERIOD,
    PROMISE,
    Claim,
    claims,
    figures,
    number,
    times_named,
)
from support_agent.agent.done import OF_STATES, deeds_told
from support_agent.agent.tongues import western
from support_agent.agent.types import Json, TurnState

# Numbers of a result that count things or rank them: never money.
_COUNTS = {"n", "score", "more", "more_orders", "quantity", "returned", "position", "queue_position", "attempts_left"}
# What customers, carriers, or the model for them have written into records: it names things, and states nothing.
_THEIR_WORDS = {
    "note", "subject", "body", "reason", "name", "variant", "shipping_address", "before", "after", "items", "fields",
    "description", "location",
}  # fmt: skip
_WORDS = "their words"
_STATES = {"status", "state", "order_status"}
_PERIOD_KEY = re.compile(r"_(second|minute|hour|day|week|month|year)s$")
_MONEY = re.compile(r"-?\d+\.\d{2}")
_WEEKDAY = re.compile(r"\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b")
_RANGE = re.compile(r"(.+)–(.+) (s|mo)")


class Evidence:
    """The values that tool results, articles and server notices contain, and the identifiers a customer named.

    They are read when the first claim asks for them: most sentences claim nothing.
    """

    def __init__(self) -> None:
        self._unread: list[tuple[bool, str]] = []  # (whether a customer's words, the text)
        self._values: set[tuple[str, str]] = set()
        self._amounts: dict[str, set[str]] = {}  # each amount with the currencies it was written in, '' for none
        self._currencies: set[str] = set()  # of the records; an article without a sign means one of these
        self._customer_digits: set[str] = set()

    def add(self, text: str) -> None:
        """Facts from a tool result (JSON text), an article or a server notice."""
        self._unread.append((False, text))

    def add_customer(self, text: str) -> None:
        """The customer's words back nothing but the identifiers in them: '104233' is AP-104233 as well."""
        self._unread.append((True, text))

    def _read(self) -> None:
        unread, self._unread = self._unread, []
        for is_customers, text in unread:
            (self._add_words if is_customers else self._add_facts)(text)

    def _add_facts(self, text: str) -> None:
        try:
            found = json.loads(text)
        except ValueError:
            found = text
            self._add_deeds(deeds_told(text))
        self._add_value(found)

    def _add_words(self, text: str) -> None:
        self._values.update((IDENTIFIER, c.values[0]) for c in claims(text) if c.kind == IDENTIFIER)
        self._customer_digits.update(re.findall(r"\d{4,}", western(text)))

    def backs(self, claim: Claim) -> bool:
        self._read()
        if claim.kind == AMOUNT:
            return any(self._has_amount(*value.partition(" ")[::2]) for value in claim.values)
        if any((claim.kind, value) in self._values for value in claim.values):
            return True
        return claim.kind == IDENTIFIER and bool(self._customer_digits & set(re.findall(r"\d{4,}", claim.text)))

    def _has_amount(self, figure: str, currency: str) -> bool:
        written = self._amounts.get(figure, set())
        if not currency or currency in written:
            return bool(written)
        return "" in written and (currency in self._currencies or not self._currencies)

    def _add_value(self, value: Any, key: str = "", currency: str = "") -> None:
        """A JSON value; a dict's `currency` holds for the amounts in it."""
        if isinstance(value, dict):
            if isinstance(own := value.get("currency"), str):
                currency = own.upper()
                self._currencies.add(currency)
            is_proposal = "action_id" in value  # its summary repeats what was asked for; its preview has the facts
            for name, inner in value.items():
                words = name in _THEIR_WORDS or (is_proposal and name == "summary")
                self._add_value(inner, _WORDS if words or key == _WORDS else str(name), currency)
        elif isinstance(value, list):
            for inner in value:
                self._add_value(inner, key, currency)
        elif isinstance(value, str):
            self._add_text(value, key, currency)
        elif isinstance(value, int | float) and not isinstance(value, bool) and key not in {*_COUNTS, _WORDS}:
            self._add_figure(value, key, currency)

    def _add_text(self, value: str, key: str, currency: str) -> None:
        if key == _WORDS:
            self._values.update((IDENTIFIER, c.values[0]) for c in claims(value) if c.kind == IDENTIFIER)
        elif _MONEY.fullmatch(value):
            self._add_amount(number(value.lstrip("-")), currency)
            if key == "refunded" and value != "0.00":
                self._add_deeds(OF_STATES["refunded"])
        elif key in _STATES:
            self._add_deeds(OF_STATES.get(value, ()))
        else:
            self._add_prose(value)
            if key == "message":  # the desk's own words
                self._add_deeds(deeds_told(value))

    def _add_deeds(self, deeds: Iterable[str]) -> None:
        self._values.update((DEED, deed) for deed in deeds)

    def _add_figure(self, value: float, key: str, currency: str) -> None:
        if unit := _PERIOD_KEY.search(key):
            self._add_prose(f"{number(value)} {unit[1]}s")
        elif "percent" in key:
            self._values.add((PERCENT, number(value)))
        else:
            self._add_amount(number(abs(value)), currency)

    def _add_prose(self, text: str) -> None:
        rest = text = western(text)
        self._values.update((PROMISE, when) for when in times_named(text))
        self._values.update((PROMISE, day.lower()) for day in _WEEKDAY.findall(text))
        for claim in claims(text):
            if claim.kind in {PROMISE, DEED}:
                continue
            if claim.kind == AMOUNT:
                for value in claim.values:
                    self._add_amount(*value.partition(" ")[::2])
                continue
            rest = rest.replace(claim.text, " ")  # "3-5 days" says nothing of 3.00
            for value in claim.values:
                self._values.update((claim.kind, known) for known in _implied(claim.kind, value))
        for figure in figures(rest):  # "orders of 50 or more": an amount without a sign
            self._add_amount(figure, "")

    def _add_amount(self, figure: str, currency: str) -> None:
        self._amounts.setdefault(figure, set()).add(currency)


def unbacked(text: str, evidence: Evidence) -> list[Claim]:
    return [claim for claim in claims(text) if not evidence.backs(claim)]


def evidence_of(facts: Iterable[str], customer_words: Iterable[str]) -> Evidence:
    evidence = Evidence()
    for fact in facts:
        evidence.add(fact)
    for words in customer_words:
        evidence.add_customer(words)
    return evidence


def _implied(kind: str, value: str) -> list[str]:
    """A full date also backs its day, with or without the weekday, and its month; a range each of its ends."""
    if kind == DATE and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return [value, f"-{value[4:]}", f"-{value[4:]} {date.fromisoformat(value):%a}".lower(), value[:7]]
    if kind == DATE and value.startswith("--"):
        return [value, value[:7]]
    if kind == PERIOD and (ends := _RANGE.fullmatch(value)):
        return [value, f"{ends[1]} {ends[3]}", f"{ends[2]} {ends[3]}"]
    return [value]


def backing(text: str, state: TurnState) -> list[Json]:
    """Each claim of an answer with the tool call of this turn that backs it, or none: then an earlier turn's."""
    results = [(call[0], evidence_of([result], [])) for call, result in zip(state.calls, state.evidence, strict=False)]
    found: list[Json] = []
    for claim in claims(text):
        by = next((n for n, (_, evidence) in enumerate(results) if evidence.backs(claim)), None)
        entry: Json = {"claim": claim.text, "kind": claim.kind}
        if by is not None:
            entry |= {"tool": results[by][0], "call": by}
        found.append(entry)
    return found
