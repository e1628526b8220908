"""The small world every backend is tried in. Whoever tries one of their own prepares it there, by whatever means."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from decimal import Decimal

from tickets.backends.port import Backend, By
from tickets.backends.records import Who


@dataclass(frozen=True, slots=True)
class Sold:
    """An order as it was prepared: its number, and of each line SKU, pieces and price."""

    number: str
    lines: tuple[tuple[str, int, Decimal], ...]
    currency: str = "USD"

    @property
    def total(self) -> Decimal:
        return sum((price * pieces for _, pieces, price in self.lines), Decimal("0.00"))


@dataclass(frozen=True, slots=True)
class World:
    """Two customers, a closed account and four orders, each paid in full and nothing of it given back."""

    backend: Backend
    owner: Who
    other: Who
    closed_email: str
    delivered: Sold  # the owner's, some days ago, in one parcel
    paid: Sold  # the owner's newest, with its invoice; can be cancelled
    shipped: Sold  # the owner's, one parcel under way with two scans or more
    foreign: Sold  # the other's, delivered
    by: Callable[[str], By]  # a new key for a tool's effect, with its action where the backend wants one
    money_leaves: Callable[[str], None]  # what is given back of this order is paid out
    parcel_arrives: Callable[[str], None]  # the parcel of this return is here
    write_note: Callable[[str, str], None]  # the customer's own words at the checkout of this order


@dataclass(frozen=True, slots=True)
class RemoteWorld(World):
    """Beside that, the line to the other system."""

    losing: Callable[[], AbstractContextManager[None]] = field(kw_only=True)
    """While it is open, requests arrive there and answers do not arrive here."""
