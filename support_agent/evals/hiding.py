"""What of the shop must not enter a cassette, and what a world's values are called there."""

from __future__ import annotations

import re
from collections.abc import Mapping

from support_agent.evals.redaction import NAMED, NO_NAMES, STREET, TOWN, parts_of_name
from support_agent.llm.recorded import Hiding, Rule
from tickets.models import Customer, Order
from tickets.redaction import EMAIL, without_accounts, without_secrets
from tickets.redaction.phones import PHONE, SPOKEN_PHONE, is_phone

_NUMBER = r"(?<![A-Za-z0-9-]){}(?![A-Za-z0-9])"


def _number(pattern: str) -> re.Pattern[str]:
    return re.compile(_NUMBER.format(pattern), re.IGNORECASE)


def _blotted(text: str) -> str:
    """Cards, keys, passwords, bank accounts and ids serve no answer: they are gone for good."""
    return without_accounts(without_secrets(text))


SHOP = Hiding(
    blot=_blotted,
    rules=(
        Rule("email", EMAIL, "someone{n}@example.com"),
        Rule("id", _number(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "00000000-0000-4000-8000-{n:012}"),
        Rule("order", _number(r"AP-\d{4,8}"), "AP-{n:06}"),
        Rule("parcel", _number(r"ALD\d{6,14}"), "ALD{n:010}"),
        Rule("ticket", _number(r"T-\d{4,8}"), "T-{n:05}"),
        Rule("return", _number(r"R-\d{4,8}"), "R-{n:06}"),
        Rule("invoice", _number(r"INV-\d{4,8}"), "INV-{n:06}"),
        Rule("article", _number(r"case-\d+-\d+"), "case-0-{n}"),
        Rule("street", STREET, "{n} Alder Street"),
        Rule("town", TOWN, "Salem, OR {n:05}"),
        Rule("phone", PHONE, "503-555-{n:04}", is_phone),
        Rule("phone", SPOKEN_PHONE, "503-555-{n:04}", led=True),
        Rule("name", NAMED, "Robin Fern {n}", lambda name: name.split()[0] not in NO_NAMES, led=True),
        Rule("time", re.compile(r"(?<=\d[T ])\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?|\b\d\d:\d\d(?= UTC)")),
        Rule("place", re.compile(r'(?<="position":)\d+|(?<="position": )\d+|(?<="position\\":)\d+')),  # in JSON as text
    ),
    fields=frozenset({"position", "score"}),  # in a queue that cases share; of a search, in the last digit
)


def names_of(things: Mapping[str, Customer | Order]) -> dict[str, str]:
    named: dict[str, str] = {}
    for name, thing in things.items():
        if isinstance(thing, Order):
            parcels = thing.shipments.order_by("pk").values_list("tracking_number", flat=True)
            named |= {name: thing.order_number} | _numbered(f"{name}.tracking", list(parcels))
        else:
            named |= {f"{name}.email": thing.email, f"{name}.name": thing.name, f"{name}.phone": thing.phone}
            named |= _numbered(f"{name}.name", list(parts_of_name(thing.name)), first=1)
            named |= _numbered(f"{name}.address", thing.shipping_address.splitlines(), first=1)
    return named


def _numbered(name: str, values: list[str], first: int = 0) -> dict[str, str]:
    """`name`, `name_1`, … for several values of one name; from `name_1` on with `first` 1."""
    return {f"{name}_{i}" if i else name: value for i, value in enumerate(values, first)}
