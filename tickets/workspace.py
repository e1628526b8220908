"""The company this installation speaks for: `workspace()` answers its name, look, hours and figures as they are now.

Each process keeps them in memory and looks every two seconds, when somebody asks, whether they changed: one small query
in a thread of its own, so that it works anywhere, on an event loop, inside a transaction that failed and while the
database is away, too. Whoever asks meanwhile gets what is known. Only the first of a process, and whoever comes after a
long pause, waits for it.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.apps import apps
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from tickets.figures import POLICY, Policy
from tickets.opening import Interval, Opening, zone_of
from tickets.palette import stylesheet

FRESH_S = 2.0
STALE_S = 6.0  # nobody asked for so long: the next one waits for the answer
FIRST_WAIT_S, WAIT_S = 3.0, 0.5
FIGURES = ("return_days", "label_days", "return_fee", "refund_days", "refund_limit", "problem_days", "lost_after_days")
"""What of the policy the workspace says."""
USUAL: tuple[Interval, ...] = ((8 * 60, 18 * 60),)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Workspace:
    """One company. Its defaults are the demo's; colours are '#rrggbb', or nothing for our own."""

    name: str = "Alder & Pine"
    legal_line: str = "Alder & Pine, Portland, Oregon"
    return_address: str = "Alder & Pine Returns\nPortland, Oregon\nUSA"
    return_carrier: str = "Cascade Post"
    email: str = "help@alderandpine.example"
    privacy_email: str = "privacy@alderandpine.example"
    website: str = "https://alderandpine.example"
    privacy_url: str = ""
    privacy_text: str = ""
    terms_url: str = ""
    logo_digest: str = ""
    logo_width: int = 24  # pixels at a height of 24
    accent: str = ""
    accent_dark: str = ""
    tone: str = "warm"
    house_style: str = ""
    greeting: str = ""
    openers: tuple[str, ...] = ()
    currency: str = "USD"
    languages: tuple[str, ...] = ()  # none named: all that we speak
    time_zone: str = "America/Los_Angeles"
    week: tuple[tuple[Interval, ...], ...] = (*(USUAL,) * 5, (), ())
    holidays: dict[str, str] = field(default_factory=dict)
    policy: Policy = POLICY
    order_number_format: str = "AP-######"
    other_number_formats: str = ""

    @property
    def is_default(self) -> bool:
        """Whether nobody has said yet whose installation this is."""
        return self.name == DEFAULT.name

    @cached_property
    def opening(self) -> Opening:
        return Opening(zone_of(self.time_zone), self.week, self.holidays)

    @cached_property
    def hosts(self) -> frozenset[str]:
        """The company's own website, with www and without: links of answers and articles may lead there."""
        host = (urlsplit(self.website).hostname or "").removeprefix("www.")
        return frozenset({host, f"www.{host}"} if host else ())

    @cached_property
    def look(self) -> str:
        """A digest of the colours: the address of their style sheet holds it."""
        return hashlib.sha256(stylesheet(self.accent, self.accent_dark).encode()).hexdigest()[:16]

    @property
    def addresses(self) -> frozenset[str]:
        """The mail addresses customers are told."""
        return frozenset(address.lower() for address in (self.email, self.privacy_email) if address)

    @property
    def signature(self) -> str:
        """What every mail ends with."""
        return "\n\n" + "\n".join(filter(None, (self.name, self.email))) + "\n"


DEFAULT = Workspace()
UNKNOWN = replace(
    DEFAULT, name="Customer support", legal_line="", return_address="", email="", privacy_email="", website=""
)
"""What pages of errors say while a process could not yet ask whose it is: nobody else's name."""


@dataclass(slots=True)
class _Kept:
    """When (monotonic seconds) the last look began, and the first: nobody waits long for a database that is away."""

    values: Workspace | None = None
    version: UUID | None = None
    looked: float = -1e9
    begun: float = 0.0
    reader: threading.Thread | None = None


_kept = _Kept()


def workspace() -> Workspace:
    """The company as it is now, or was a few seconds ago."""
    kept, now = _kept, time.monotonic()
    age, reader = now - kept.looked, kept.reader
    if kept.values is not None and age < FRESH_S:
        return kept.values
    if age >= FRESH_S and (reader is None or not reader.is_alive()):
        kept.looked, kept.begun = now, kept.begun or now
        reader = kept.reader = threading.Thread(target=_look, args=(kept,), name="workspace", daemon=True)
        reader.start()
    wait = FIRST_WAIT_S - (now - kept.begun) if kept.values is None else WAIT_S if age > STALE_S else 0.0
    if reader is not None and wait > 0:
        reader.join(wait)
    return kept.values or UNKNOWN


def forget() -> None:
    """Look again at the next use: it was changed here."""
    global _kept
    _kept = _Kept()


@contextmanager
def as_if(values: Workspace) -> Iterator[None]:
    """This process takes these for the workspace's values meanwhile."""
    global _kept
    before, _kept = _kept, _Kept(values=values, looked=float("inf"))
    try:
        yield
    finally:
        _kept = before


def currency_of_house() -> str:
    """The currency of new records that name none."""
    return workspace().currency


def _look(kept: _Kept) -> None:
    try:
        version = _version()
        if kept.values is None or version != kept.version:
            kept.values, kept.version = _read(), version
    except (OperationalError, InterfaceError):
        log.warning("workspace_not_read", exc_info=True)  # the database is away: what is known stays
    except (DatabaseError, RuntimeError):
        kept.values = kept.values or DEFAULT  # no table yet, or a test that may not ask
    finally:
        connection.close()


def _version() -> UUID | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT version FROM tickets_workspace")
        row = cursor.fetchone()
    return row[0] if row else None


def _read() -> Workspace:
    row = apps.get_model("tickets", "Workspace").objects.defer("logo", "icon").first()
    return values_of(row) if row else DEFAULT


def values_of(row: Any) -> Workspace:
    """The row's values, as a process keeps them."""
    kept: dict[str, Callable[[Any], Any]] = {
        "openers": lambda text: tuple(filter(None, map(str.strip, text.splitlines()))),
        "languages": tuple,
        "week": lambda days: tuple(tuple((start, end) for start, end in day) for day in days),
    }
    named = {each.name for each in fields(Workspace)} - {"policy"}
    values = {name: kept.get(name, lambda value: value)(getattr(row, name)) for name in named}
    figures: dict[str, Any] = {name: getattr(row, name) for name in FIGURES}
    return Workspace(**values, policy=replace(POLICY, **figures))
