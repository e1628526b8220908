"""Cassettes of evaluation runs: what must not enter one, and each case as a conversation of its own.

with recorded(path, about) as tape, … model_named(name, tape): …       with replayed(path) as tape: …
with taped(case.id) as begun: …                                        # in the runner, around one case
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from django.utils import timezone

from support_agent.evals import clock
from support_agent.evals.redaction import NAMED, NO_NAMES, STREET, TOWN, parts_of_name
from support_agent.llm.client import live_transport
from support_agent.llm.recorded import Hiding, Replaying, Rule, conversation, know, recording, replaying, running
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


@contextmanager
def recorded(path: Path, about: Mapping[str, Any]) -> Iterator[httpx2.AsyncBaseTransport]:
    """The real API, listened to. `about` goes into the file: model, suite, repeat, and `renew`, the command for it."""
    with recording(path, live_transport(), hiding=SHOP, about=dict(about)) as tape:
        yield tape


@contextmanager
def replayed(path: Path, only: Collection[str] | None = None) -> Iterator[Replaying]:
    """The file in the API's place, at the time of its recording. Raises CassetteError, and at the end ReplayError for
    whatever differs in the cases of `only` (all, when None)."""
    with clock.movable(), replaying(path, hiding=SHOP, only=only) as tape:
        yield tape


@contextmanager
def taped(name: str) -> Iterator[None]:
    """One case, from before its people and records are made; nothing when no tape runs."""
    with conversation(name, timezone.now()) as begun, clock.moved_to(begun.at):
        yield


def wired(**options: Any) -> dict[str, Any]:
    """A client's options on the tape that runs, if one does; replayed, also with the models of the recording."""
    tape = running.get()
    if isinstance(tape, Replaying):
        options |= {"api_key": "replay", "base_url": "", "sleep": _at_once, **tape.cassette.about.get("tiers", {})}
    return {**options, "transport": tape} if tape else options


async def _at_once(_: float) -> None:
    """No pause: what is replayed has waited once already."""


def know_names(things: Mapping[str, Customer | Order]) -> None:
    """A world's people and records as its case names them: `paid_order`, `paid_order.tracking`, `customer.email`."""
    if running.get() is not None:
        know(names_of(things))


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
