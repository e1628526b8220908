"""People taken out of a text: what identifies somebody becomes a placeholder of the case or a made-up value, the same
each time. Orders and tracking numbers are the caller's: it knows which records stand for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from support_agent.agent.identifiers import DEMO, formats
from tickets.redaction.numbers import IBAN, IDS, hide_iban
from tickets.redaction.phones import PHONE, SPOKEN_PHONE, is_phone

EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)")
LOOSE_PHONE = re.compile(  # 612 345 678, 503 5550100: a case is shared, so rather one too many
    r"(?<![\w@/-])(?<!\d[ .])(?:\(\d{2,4}\)|\d{2,4})[ .-]\d{3,4}[ .-]?\d{3,4}(?![\w-]|[ .]\d)"
)
STREET = re.compile(
    r"\b\d{1,5}[A-Za-z]?\s+(?:[A-Z][\w'’.-]*\s+){1,4}"
    r"(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Court|Ct|Boulevard|Blvd|Way|Place|Pl|Terrace|Square|Sq)\b\.?"
    r"(?:,?\s*(?:Apt|Unit|Suite|#)\.?\s*\w+)?"
)
STREET_ABROAD = re.compile(
    r"\b[A-ZÄÖÜ][\wäöüß-]*(?:straße|strasse|str\.|weg|platz|gasse|allee)\s+\d{1,4}[a-z]?\b"
    r"|\b\d{1,4}(?:\s?bis)?,?\s+(?i:rue|avenue|boulevard|place|chemin|impasse)\s+"
    r"(?:(?:de|du|des|la|le|les|d['’])\s?)*[A-ZÀ-Ý][\w'’-]+"
    r"|\b(?i:calle|avenida|plaza|paseo)\s+(?:(?:de|del|la|las|los)\s+)*[A-ZÁ-Ú][\w'’-]+(?:\s[A-ZÁ-Ú][\w'’-]+)*,?\s+\d{1,4}\b"
)
TOWN = re.compile(
    r"\b[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)?,\s*[A-Z]{2}\s+\d{5}(?:-\d{4})?\b"
    r"|(?<![\d-])\d{5}\s+[A-ZÄÖÜÁÉÍÓÚ][a-zäöüßáéíóúñ-]{2,}\b"
)
OUR_NUMBERS = {  # of records that are no records of the case: somebody's all the same
    re.compile(r"\bAP-\d{6}\b", re.IGNORECASE): "AP-99900{n}",
    re.compile(r"\bALD\d{10}\b", re.IGNORECASE): "ALD999000000{n}",
    re.compile(r"\bINV-\d{4,8}\b", re.IGNORECASE): "INV-9000{n}",
    re.compile(r"\b[TR]-\d{4,8}\b"): "T-9000{n}",
}
NAMED = re.compile(
    r"((?i:\bmy name is|\bi am|\bi'm|\bi’m|\bthis is|\bmy name's|\bregards,|\bthanks,|\byours,)\s+)"
    r"([A-ZÀ-Þ][\w'’-]+(?:\s+[A-ZÀ-Þ][\w'’-]+){0,2})"  # O'Neil and Canary-Quill too
)
CALLED = re.compile(
    r"((?i:\b(?:dear|mr|mrs|ms|miss|dr|herrn?|frau|madame|monsieur|señora?|hi|hello|hey)\.?\s+"
    r"|\bmy (?:wife|husband|son|daughter|mother|father|mom|mum|dad|friend|colleague|boss|neighbou?r|partner|brother"
    r"|sister),?(?: is)?(?: called| named)?\s+))([A-Z][a-z'’-]+(?:\s+[A-Z][a-z'’-]+){0,2})"
)
SIGNED = re.compile(r"(\n\s*(?:[-–—]\s*)?)([A-Z][a-z'’-]+(?:\s+[A-Z][a-z'’-]+){0,2})(?=\s*$)")
NO_NAMES = {
    "There",
    "Team",
    "All",
    "Support",
    "Everyone",
    "Thanks",
    "Regards",
    "Best",
    "Alder",
    "Sir",
    "Madam",
    "Looking",
    "Not",
    "Sorry",
    "Trying",
    "Still",
    "Very",
    "So",
    "Your",
    "Having",
    "Just",
    "Going",
    "Here",
}
PEOPLE = ("Alex Moss", "Robin Fern", "Sam Birch", "Kim Heath", "Jo Linden")
FULL_NAME = re.compile(r"\b[A-Z][\w'’-]+ [A-Z][\w'’-]+\b")
PLACEHOLDER_LIKE = re.compile(r"[{}]")


class Redactor:
    """Replaces consistently: the customer's own details by placeholders, everybody else's by made-up ones."""

    def __init__(self, known: Mapping[str, str], identifiers: Mapping[str, str]) -> None:
        """`known` maps the customer's details to placeholders (`{customer.email}`), `identifiers` maps order and
        tracking numbers as written to theirs; letter case is ignored."""
        whole = {key: value for key, value in known.items() if len(key.strip()) > 2}
        self._exact = sorted({**whole, **identifiers}.items(), key=lambda item: -len(item[0]))
        self._made: dict[tuple[str, str], str] = {}

    def __call__(self, text: str) -> str:
        text = PLACEHOLDER_LIKE.sub(lambda match: "(" if match[0] == "{" else ")", text)
        text = IBAN.sub(lambda match: hide_iban(match[0], "[iban]"), text)  # what it swallowed is still looked at
        kept: list[str] = []

        def keep(value: str) -> str:
            """Out of the other rules' reach until the end."""
            kept.append(value)
            return f"\x00{len(kept) - 1}\x00"

        for pattern, made in self._rules(text):
            text = pattern.sub(
                lambda match, made=made: match[0] if (value := made(match)) is None else keep(value),  # type: ignore[misc]
                text,
            )
        text = SPOKEN_PHONE.sub(lambda match: match[1] + keep(self._phone(match[0][len(match[1]) :])), text)
        for pattern in (NAMED, CALLED, SIGNED):
            text = pattern.sub(lambda match: match[1] + keep(self._name(match[2])), text)
        return re.sub("\x00(\\d+)\x00", lambda match: kept[int(match[1])], text)

    def _rules(self, text: str) -> Iterator[tuple[re.Pattern[str], Callable[[re.Match[str]], str | None]]]:
        """What is looked for, in order, and what takes its place; None: it is no such thing, and the next may look."""
        for written, placeholder in self._exact:
            pattern = re.compile(rf"(?<!\w){re.escape(written)}(?!\w)", re.IGNORECASE)
            yield pattern, lambda _, placeholder=placeholder: placeholder  # type: ignore[misc]
        yield EMAIL, lambda match: self._one("mail", match[0].lower(), "someone{n}@example.com")
        yield CARD, lambda match: "4242 4242 4242 4242" if is_card(match[0]) else None
        yield STREET, lambda match: self._one("street", match[0], "{n} Alder Street")
        yield TOWN, lambda _: "Salem, OR 97301"
        yield STREET_ABROAD, lambda match: self._one("street", match[0], "{n} Alder Street")
        if (known := formats()) is not DEMO:
            for number in sorted({number.upper() for number in known.found_in(text)}, key=len, reverse=True):
                pattern = re.compile(rf"(?<!\w){re.escape(number)}(?!\w)", re.IGNORECASE)
                yield pattern, lambda match: self._one("own", match[0].upper(), "AP-99901{n}")
        for pattern, made in OUR_NUMBERS.items():
            yield pattern, lambda match, made=made: self._one(made, match[0].upper(), made)  # type: ignore[misc]
        for pattern, is_one in IDS:
            yield pattern, lambda match, is_one=is_one: "[id]" if is_one(match[0]) else None  # type: ignore[misc]
        yield PHONE, lambda match: self._phone(match[0]) if may_be_phone(match[0]) else None
        yield LOOSE_PHONE, lambda match: self._phone(match[0]) if len(_digits(match[0])) in (9, 10) else None

    def _phone(self, written: str) -> str:
        before = " " if written[0] == " " else ""  # the pattern takes it along
        return before + self._one("phone", _digits(written), "503-555-01{n:02d}")

    def _name(self, written: str) -> str:
        return written if written.split()[0] in NO_NAMES else self._one("name", written, "{name}")

    def _one(self, kind: str, written: str, made: str) -> str:
        """The made-up value for this one, the same each time."""
        if (kind, written) not in self._made:
            n = 1 + sum(known == kind for known, _ in self._made)
            self._made[kind, written] = made.format(n=n, name=PEOPLE[(n - 1) % len(PEOPLE)])
        return self._made[kind, written]


def is_card(text: str) -> bool:
    """Whether the digits are a card's number (Luhn)."""
    digits = [int(digit) for digit in _digits(text)]
    if not 13 <= len(digits) <= 19:
        return False
    doubled = [d if i % 2 == 0 else sum(divmod(d * 2, 10)) for i, d in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def may_be_phone(text: str) -> bool:
    """Whether it is a phone's number, or written as one of another country, though with a digit too many or too few."""
    return is_phone(text) or (text.startswith("+") and 8 <= len(_digits(text)) <= 15)


def parts_of_name(name: str) -> Iterable[str]:
    """The words of a name that say who somebody is."""
    return [part for part in name.split() if len(part) > 2]


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))
