"""The port to the systems of record. A company writes one class; `tests/backends` says what it must keep.

Reads answer None (or nothing) for what is not there and for what is another customer's, in the same way. Writes are
asked at most once per key by us, and must do a thing at most once per key whatever is repeated: a second call with a
key answers what the first one did.

A write ends in one of four ways, and only these:
    a record            it is done
    Refused, NotFound   it is not done, and never will be under this key
    Unreachable         nothing was sent: it is not done, and may be tried again
    AnswerLost          nobody knows: `outcome(key)` is asked until somebody does, or a person looks

A local backend (`is_remote` False) writes inside the caller's transaction and raises the desk's own errors; then
nothing is ever unknown.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal

from tickets.backends.records import (
    CustomerRecord,
    InvoiceRecord,
    OrderRecord,
    OrderSummary,
    RefundRecord,
    ReturnRecord,
    Who,
)
from tickets.errors import DeskError, NotEligible

Value = str | bool


class Refused(NotEligible):
    """The system says no, with a code for programs and a sentence a customer may read."""


class Unreachable(DeskError):
    """The system could not be asked; nothing was done."""

    code = "unreachable"


class AnswerLost(DeskError):
    """The request was sent and its answer never came: it may be done or not."""

    code = "answer_lost"


@dataclass(frozen=True, slots=True)
class By:
    """What a write is asked by: its key (at most 120 characters), and the action it belongs to where there is one."""

    key: str
    action_id: str = ""
    approved_by: str = ""  # the staff's user name, for what a person had to approve


@dataclass(frozen=True, slots=True)
class CancelRecord:
    """A cancelled order and the money on its way back; `undo` is what `restore_order` is handed."""

    order: OrderSummary
    refund: RefundRecord | None
    undo: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a key: `done` with what the write answered, `refused`, `never` (it did not arrive and may be sent
    again under the same key), or `unknown` (still running, or the system cannot say)."""

    state: Literal["done", "refused", "never", "unknown"]
    record: CancelRecord | ReturnRecord | RefundRecord | None = None
    code: str = ""
    message: str = ""


class Backend(ABC):
    """Every call may take seconds in a remote system, and raises Unreachable when it cannot be asked. Nothing is called
    with a database transaction open when `is_remote`."""

    is_remote: ClassVar[bool] = True

    # --- reads
    @abstractmethod
    def customer(self, who: Who) -> CustomerRecord | None: ...

    @abstractmethod
    def customer_by_email(self, email: str) -> CustomerRecord | None:
        """Any case; a closed account is as good as none."""

    @abstractmethod
    def orders(self, who: Who, *, limit: int) -> tuple[Sequence[OrderSummary], int]:
        """The newest first, and how many more there are."""

    @abstractmethod
    def order(self, who: Who, order_number: str) -> OrderRecord | None: ...

    @abstractmethod
    def invoices(self, who: Who, *, limit: int) -> Sequence[InvoiceRecord]:
        """The newest first."""

    @abstractmethod
    def refunds_since(self, who: Who, since: datetime) -> Sequence[RefundRecord]:
        """All of the customer's refunds that were made since a moment and not rejected."""

    @abstractmethod
    def return_of(self, who: Who, number: str) -> ReturnRecord | None: ...

    # --- writes: eligibility was checked by tickets.policy before; a system may refuse all the same
    @abstractmethod
    def cancel_order(self, who: Who, *, order_number: str, reason: str, by: By) -> CancelRecord: ...

    @abstractmethod
    def restore_order(self, who: Who, *, order_number: str, undo: Mapping[str, str], by: By) -> None:
        """Take a cancellation back. Raises Refused (code `too_late`) when its money has left."""

    @abstractmethod
    def create_return(
        self, who: Who, *, order_number: str, skus: Sequence[str], reason: str, fee: Decimal, by: By
    ) -> ReturnRecord:
        """Each SKU with all its pieces that are left. The label is mailed by us."""

    @abstractmethod
    def cancel_return(self, who: Who, *, number: str, by: By) -> None:
        """Raises Refused (code `too_late`) once the parcel is there."""

    @abstractmethod
    def create_refund(self, who: Who, *, order_number: str, amount: Decimal, reason: str, by: By) -> RefundRecord:
        """Never more than what was paid and not refunded yet: Refused (code `too_much`)."""

    @abstractmethod
    def report_problem(self, who: Who, *, order_number: str, kind: str, wish: str, by: By) -> None: ...

    @abstractmethod
    def update_customer(self, who: Who, *, field: str, value: Value, by: By) -> None:
        """One of name, phone, shipping_address, marketing_opt_in; the value is clean."""

    @abstractmethod
    def outcome(self, key: str) -> Outcome: ...
