"""What a message names: order and other numbers, e-mail, items, colours, amounts, reasons, wishes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from support_agent.agent.identifiers import DEMO, formats
from support_agent.llm.demo import lexicon
from support_agent.llm.demo.numbers import company_numbers, without_company_numbers
from support_agent.llm.demo.text import clean, tokens

ORDER = re.compile(r"(?:\bap[-\s_]{0,3}|#\s?)(\d{6})\b", re.I)
BARE_ORDER = re.compile(r"(?<![\w-])(\d{6})(?![\w-])")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
SKU = re.compile(r"\b[A-Z]{3}(?:-[A-Z0-9]{1,4}){1,4}\b")
MONEY = re.compile(
    r"[$€£]\s?(\d+(?:[.,]\d+)?)|\b(\d+(?:[.,]\d+)?)\s?(?:usd|eur|dollars?|bucks|euros?)\b|\b(\d+\.\d\d)\b", re.I
)
_NOT_MEANT = re.compile(
    r"\b(?:keep(?:ing)?|not|instead of|rather than|leave)(?: the)?(?: order)? (?:ap-|#)?\d{6}\b", re.I
)
_NOT_THIS = re.compile(r"\b(?:keep(?:ing)?|not|instead of|rather than|leave)(?: the)?(?: order)? $", re.I)
_CORRECTED = re.compile(r"\b(?:no,? wait|i (?:do )?mean|i meant|rather|scratch that|correction)\b", re.I)
_PAIRS = frozenset({"boots", "shoes", "pegs", "gas"})  # plural words for one thing
PHONE = re.compile(r"\+?\d[\d\s().-]{7,}\d")


@dataclass(frozen=True, slots=True)
class Slots:
    """Empty values mean not named; amounts are strings like "12.50"."""

    orders: tuple[str, ...] = ()
    email: str = ""
    skus: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    money: str = ""
    kind: str = ""
    wish: str = ""
    field: str = ""
    ordinal: int | None = None
    everything: bool = False
    many: bool = False  # 'the jackets'
    other: bool = False  # 'the other one'
    reason: str = ""
    value: str = ""

    def over(self, older: Slots) -> Slots:
        """These slots, with what they leave open taken from older ones."""
        kept = {
            field.name: getattr(older, field.name)
            for field in fields(self)
            if getattr(self, field.name) in ("", (), None, False) and field.name not in ("other", "ordinal")
        }
        if self.items:
            kept.pop("many", None)
        return replace(self, **kept)


def extract(text: str, words: Sequence[str]) -> Slots:
    """Slots of one message; `words` are its normalised tokens."""
    plain, joined = clean(text), " ".join(words)
    rest = without_company_numbers(plain)  # their digits are no amount, telephone or article number
    money = MONEY.search(rest)
    return Slots(
        orders=_meant_first(plain),
        email=(EMAIL.findall(plain) or [""])[0].rstrip("."),
        skus=tuple(dict.fromkeys(SKU.findall(rest.upper()))),
        items=_known("items", words),
        colours=_known("colours", words),
        many=any(
            word in lexicon.data("lexicon")["items"] and word.endswith("s") and word not in _PAIRS for word in words
        ),
        money=_amount(next(part for part in money.groups() if part)) if money else "",
        kind=lexicon.first_of("kinds", joined),
        wish=lexicon.first_of("wishes", joined),
        field=lexicon.first_of("fields", joined),
        ordinal=_ordinal(words),
        everything=bool(re.search(r"\b(all|everything|both|whole|entire|complete|full)\b", joined)),
        other=bool(re.search(r"\bother\b", joined)),
        reason=_reason(plain),
        value=_value(rest),
    )


def order_numbers(text: str) -> tuple[str, ...]:
    """Order numbers in their full form, in the order named, after a correction those first; a bare six-digit number
    counts too."""
    if corrected := _CORRECTED.split(text)[1:]:
        return tuple(dict.fromkeys([*order_numbers(corrected[-1]), *order_numbers(_CORRECTED.sub(" ", text))]))
    if formats() is not DEMO:
        return tuple(dict.fromkeys(one.number for one in company_numbers(text)))
    named = ORDER.findall(text)
    rest = re.sub(r"\b(?:INV|R|ALD|T)[-\s]?\d{5,10}\b", " ", text, flags=re.I)
    return tuple(dict.fromkeys(f"AP-{digits}" for digits in [*named, *BARE_ORDER.findall(rest)]))


def _meant_first(text: str) -> tuple[str, ...]:
    """The order numbers, those last that are only named to say that they are not meant: 'keep AP-104301'."""
    not_meant = {order for words in _NOT_MEANT.findall(text) for order in order_numbers(words)}
    not_meant |= {one.number for one in company_numbers(text) if _NOT_THIS.search(text[: one.start])}
    return tuple(sorted(order_numbers(text), key=lambda order: order in not_meant))


def _known(section: str, words: Sequence[str]) -> tuple[str, ...]:
    known: dict[str, str] = lexicon.data("lexicon")[section]
    return tuple(dict.fromkeys(known[word] for word in words if word in known))


def _ordinal(words: Sequence[str]) -> int | None:
    known: dict[str, int] = lexicon.data("lexicon")["ordinals"]
    return next((known[word] for word in words if word in known), None)


def _amount(raw: str) -> str:
    return f"{float(raw.replace(',', '.')):.2f}"


def _reason(plain: str) -> str:
    """The customer's own words for why: the clause that tells it, when there is one."""
    clauses = [clause.strip() for clause in re.split(r"[.!?;,\n]+|\band\b", plain)]
    telling = lexicon.any_of(lexicon.data("lexicon")["reasons"])
    return next((clause for clause in clauses if telling.search(" ".join(tokens(clause)))), "")


def _value(plain: str) -> str:
    """A new address, phone number or name given right in the message."""
    street = re.search(r"\b\d{1,5}[a-z]? [A-Za-z][\w .'-]+(?:,[^?!\n]+)?", plain)
    if street and re.search(
        r"\b(st|street|ave|avenue|rd|road|ln|lane|dr|drive|blvd|way|court|ct|place|apt|suite|[A-Z]{2} \d{5}|\d{5})\b",
        street.group(),
        re.I,
    ):
        return street.group().strip(" .,")
    phone = PHONE.search(re.sub(r"\b(?:AP|INV|R|T|ALD)[-\s]?\d{5,10}\b", " ", plain, flags=re.I))
    if phone and len(re.sub(r"\D", "", phone.group())) >= 9:
        return phone.group().strip()
    name = re.search(
        r"\bname (?:to|is(?: now)?|into|should be|=|:)\s+([A-Za-z][\w'’-]+(?: [A-Za-z][\w'’-]+){0,3})", plain, re.I
    )
    return name.group(1).strip() if name else ""
