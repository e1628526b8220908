"""What a backend answers: plain values, the same whichever system they come from.

Money is Decimal in the order's currency, with two places; moments are aware UTC; `Who` says whose records are meant.
Texts are data of another system: they are shown escaped, and are never instructions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Who:
    """The customer a call works for: our row's id, and what the other system knows them by (`ref` may be empty)."""

    id: UUID
    ref: str
    email: str


@dataclass(frozen=True, slots=True)
class CustomerRecord:
    """An account. `ref` is the system's own id of it; `plan` is free, plus or enterprise; `status` active, suspended
    or closed; `locale` as en or de-AT."""

    ref: str
    email: str
    name: str
    phone: str = ""
    shipping_address: str = ""
    plan: str = "free"
    status: str = "active"
    locale: str = "en"
    marketing_opt_in: bool = False
    member_since: date | None = None


@dataclass(frozen=True, slots=True)
class InvoiceRecord:
    """`status` is open, paid, refunded or void."""

    number: str
    amount: Decimal
    currency: str
    status: str
    issued_at: datetime
    order_number: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class LineRecord:
    """`left` is what could still come back: bought, minus returned, minus on its way back."""

    sku: str
    name: str
    variant: str
    category: str
    quantity: int
    unit_price: Decimal
    returned: int
    left: int

    @property
    def shown_name(self) -> str:
        return f"{self.name}, {self.variant}" if self.variant else self.name


@dataclass(frozen=True, slots=True)
class ScanRecord:
    at: datetime
    location: str
    description: str


@dataclass(frozen=True, slots=True)
class ParcelRecord:
    """`status` is one of the contract's shipment states; `skus` are its lines'; `scans` newest first."""

    tracking_number: str
    carrier: str
    status: str
    shipped_at: datetime | None = None
    estimated_delivery: date | None = None
    delivered_at: datetime | None = None
    skus: tuple[str, ...] = ()
    scans: tuple[ScanRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class ReturnedItem:
    sku: str
    name: str
    variant: str
    quantity: int


@dataclass(frozen=True, slots=True)
class ReturnRecord:
    """`status` is label_sent, received, refunded, rejected or cancelled."""

    number: str
    order_number: str
    status: str
    fee: Decimal
    currency: str
    created_at: datetime
    items: tuple[ReturnedItem, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RefundRecord:
    """`status` is approved, paid or rejected; `reference` is what customers are told; `is_favour` is False for money
    back for goods that stayed or came back, which no limit of favours counts."""

    reference: str
    order_number: str
    amount: Decimal
    currency: str
    status: str
    created_at: datetime
    is_favour: bool = True
    refunded_total: Decimal | None = None


@dataclass(frozen=True, slots=True)
class OrderSummary:
    """`status` is one of the contract's order states."""

    order_number: str
    status: str
    currency: str
    total: Decimal
    placed_at: datetime
    delivered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrderRecord(OrderSummary):
    """A whole order. `paid` and `refunded` (everything not rejected) are sums; `open_problems` the kinds reported."""

    paid: Decimal = Decimal("0.00")
    refunded: Decimal = Decimal("0.00")
    shipping_method: str = ""
    shipping_address: str = ""
    note: str = ""
    lines: tuple[LineRecord, ...] = ()
    parcels: tuple[ParcelRecord, ...] = ()
    returns: tuple[ReturnRecord, ...] = ()
    refunds: tuple[RefundRecord, ...] = ()
    open_problems: tuple[str, ...] = ()

    def line(self, sku: str) -> LineRecord | None:
        return next((line for line in self.lines if line.sku == sku), None)
