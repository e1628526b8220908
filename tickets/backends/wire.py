"""The bodies of the HTTP API (docs/backends.md), checked strictly: what does not fit is an error, never half a record.

Names are those of tickets/backends/records.py. Amounts are texts like "12.50", moments have their offset; fields that
are not known here are left alone, so that a shop may say more. Texts are data: their length is all that is asked.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from tickets.backends.port import CancelRecord, Outcome
from tickets.backends.records import (
    CustomerRecord,
    InvoiceRecord,
    LineRecord,
    OrderRecord,
    OrderSummary,
    ParcelRecord,
    RefundRecord,
    ReturnedItem,
    ReturnRecord,
    ScanRecord,
)

INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def _amount(value: Any) -> Decimal:
    """Only a text says exactly how many cents are meant."""
    if not isinstance(value, str) or len(value) > 12:
        raise ValueError('an amount is a text like "12.50"')
    whole, point, cents = value.partition(".")
    if not (point and whole.isascii() and whole.isdigit() and len(cents) == 2 and cents.isascii() and cents.isdigit()):
        raise ValueError('an amount is a text like "12.50"')
    return Decimal(value)


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


def _plain(text: str) -> str:
    """Without NUL and its kind, which PostgreSQL refuses, and without marks that turn text round."""
    return INVISIBLE.sub("", text)


def _own_word(value: Any, info: ValidationInfo) -> Any:
    """A backend may have words of its own for the states of an order: HttpBackend.order_states."""
    words = (info.context or {}).get("order_states", {})
    return words.get(value, value) if isinstance(value, str) else value


Amount = Annotated[Decimal, BeforeValidator(_amount)]
Moment = Annotated[AwareDatetime, AfterValidator(_utc)]
Id = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
Key = Annotated[Id, Field(max_length=64)]  # numbers and SKUs
Short = Annotated[str, Field(max_length=200), AfterValidator(_plain)]
Long = Annotated[str, Field(max_length=2000), AfterValidator(_plain)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]
Count = Annotated[int, Field(ge=0, le=100_000)]
OrderStatus = Annotated[
    Literal[
        "pending", "paid", "packed", "shipped", "delivered", "cancelled", "partly_returned", "returned", "refunded"
    ],
    BeforeValidator(_own_word),
]


class Wire(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    def owners(self) -> set[str]:
        """Everybody whose records are in here, by the shop's own ids of them."""
        return set()


class Owned(Wire):
    """What belongs to somebody says whose it is."""

    customer: Id

    def owners(self) -> set[str]:
        return {self.customer}


class Customer(Wire):
    ref: Id
    email: Annotated[str, Field(min_length=3, max_length=254)]
    name: Short
    phone: Short = ""
    shipping_address: Long = ""
    plan: Literal["free", "plus", "enterprise"] = "free"
    status: Literal["active", "suspended", "closed"] = "active"
    locale: Annotated[str, Field(max_length=12)] = "en"
    marketing_opt_in: bool = False
    member_since: date | None = None

    def owners(self) -> set[str]:
        return {self.ref}

    def record(self) -> CustomerRecord:
        return CustomerRecord(**dict(self))


class Invoice(Owned):
    number: Key
    amount: Amount
    currency: Currency
    status: Literal["open", "paid", "refunded", "void"]
    issued_at: Moment
    order_number: Annotated[str, Field(max_length=64)] = ""
    description: Short = ""

    def record(self) -> InvoiceRecord:
        return InvoiceRecord(**_fields(self))


class Line(Wire):
    sku: Key
    name: Short
    variant: Short = ""
    category: Short = ""
    quantity: Count
    unit_price: Amount
    returned: Count = 0
    left: Count

    def record(self) -> LineRecord:
        return LineRecord(**dict(self))


class Scan(Wire):
    at: Moment
    location: Short = ""
    description: Short

    def record(self) -> ScanRecord:
        return ScanRecord(**dict(self))


class Parcel(Wire):
    tracking_number: Key
    carrier: Short
    status: Literal["pending", "in_transit", "delayed", "delivered", "lost", "returned"]
    shipped_at: Moment | None = None
    estimated_delivery: date | None = None
    delivered_at: Moment | None = None
    skus: Annotated[list[Key], Field(max_length=500)] = []
    scans: Annotated[list[Scan], Field(max_length=500)] = []

    def record(self) -> ParcelRecord:
        scans = sorted((scan.record() for scan in self.scans), key=lambda scan: scan.at, reverse=True)
        return ParcelRecord(**{**dict(self), "skus": tuple(self.skus), "scans": tuple(scans)})


class Item(Wire):
    sku: Key
    name: Short
    variant: Short = ""
    quantity: Count

    def record(self) -> ReturnedItem:
        return ReturnedItem(**dict(self))


class Return(Owned):
    number: Key
    order_number: Key
    status: Literal["label_sent", "received", "refunded", "rejected", "cancelled"]
    fee: Amount
    currency: Currency
    created_at: Moment
    items: Annotated[list[Item], Field(max_length=500)]
    reason: Long = ""

    def record(self) -> ReturnRecord:
        return ReturnRecord(**{**_fields(self), "items": tuple(item.record() for item in self.items)})


class Refund(Owned):
    reference: Key
    order_number: Key
    amount: Amount
    currency: Currency
    status: Literal["approved", "paid", "rejected"]
    created_at: Moment
    is_favour: bool = True
    refunded_total: Amount | None = None  # of the order, in the answer to `create_refund`

    def record(self) -> RefundRecord:
        return RefundRecord(**_fields(self))


class Summary(Owned):
    order_number: Key
    status: OrderStatus
    currency: Currency
    total: Amount
    placed_at: Moment
    delivered_at: Moment | None = None

    def record(self) -> OrderSummary:
        return OrderSummary(**_fields(self))


class Order(Summary):
    paid: Amount
    refunded: Amount
    shipping_method: Short = ""
    shipping_address: Long = ""
    note: Long = ""
    lines: Annotated[list[Line], Field(max_length=500)]
    parcels: Annotated[list[Parcel], Field(max_length=100)]
    returns: Annotated[list[Return], Field(max_length=100)]
    refunds: Annotated[list[Refund], Field(max_length=100)]
    open_problems: Annotated[list[Key], Field(max_length=20)] = []

    def owners(self) -> set[str]:
        return {self.customer, *(part.customer for part in (*self.returns, *self.refunds))}

    def record(self) -> OrderRecord:
        parts: dict[str, Any] = {
            name: tuple(part.record() for part in getattr(self, name))
            for name in ("lines", "parcels", "returns", "refunds")
        }
        return OrderRecord(**{**_fields(self), **parts, "open_problems": tuple(self.open_problems)})


class Orders(Wire):
    orders: Annotated[list[Summary], Field(max_length=100)]
    more: Count

    def owners(self) -> set[str]:
        return {order.customer for order in self.orders}


class Invoices(Wire):
    invoices: Annotated[list[Invoice], Field(max_length=100)]

    def owners(self) -> set[str]:
        return {invoice.customer for invoice in self.invoices}


class Refunds(Wire):
    refunds: Annotated[list[Refund], Field(max_length=1000)]

    def owners(self) -> set[str]:
        return {refund.customer for refund in self.refunds}


class Cancelled(Wire):
    order: Summary
    refund: Refund | None
    undo: Annotated[dict[Key, Short], Field(max_length=20)]

    def owners(self) -> set[str]:
        return {part.customer for part in (self.order, self.refund) if part}

    def record(self) -> CancelRecord:
        refund = self.refund.record() if self.refund else None
        return CancelRecord(order=self.order.record(), refund=refund, undo=self.undo)


class Problem(Wire):
    """Of an answer that is not 200."""

    code: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")]
    message: Annotated[str, Field(min_length=1, max_length=300)]


WITH_RECORD: dict[str, type[Cancelled | Return | Refund]] = {
    "cancel_order": Cancelled,
    "create_return": Return,
    "create_refund": Refund,
}


class Known(Wire):
    """What became of a key. `answer` is what the call named `call` answered."""

    state: Literal["done", "refused", "never", "unknown"]
    call: Annotated[str, Field(max_length=40)] = ""
    answer: dict[str, Any] = {}
    code: Annotated[str, Field(max_length=40)] = ""
    message: Annotated[str, Field(max_length=300)] = ""

    def record(self, context: dict[str, Any]) -> Outcome:
        """Raises pydantic.ValidationError when the answer is none of that call."""
        shape = WITH_RECORD.get(self.call)
        if self.state != "done" or shape is None:
            return Outcome(self.state, code=self.code, message=self.message)
        made = shape.model_validate_json(json.dumps(self.answer), context=context)
        return Outcome("done", record=made.record())


def _fields(owned: Owned) -> dict[str, Any]:
    """Without whose it is: who asked knows, once it was compared."""
    return {name: value for name, value in owned if name != "customer"}
