"""Another company's system of record, in memory: it does what it is told, loses answers when told to, and counts."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, cast

from django.utils import timezone

from tickets.backends.port import AnswerLost, Backend, By, CancelRecord, Outcome, Refused, Unreachable, Value
from tickets.backends.records import (
    CustomerRecord,
    InvoiceRecord,
    LineRecord,
    OrderRecord,
    OrderSummary,
    RefundRecord,
    ReturnedItem,
    ReturnRecord,
    Who,
)
from tickets.db import release


class Crash(BaseException):
    """The process that asked is gone; nothing of it runs any further."""


class RemoteShop(Backend):
    """One customer with one order, AP-700001, delivered and paid with 180.00, and AP-700002, which can be cancelled.

    `faults` is what happens to the next writes, in order: ok, unreachable, not_arrived, lost, crash_before,
    crash_after, refused, or overtaken (`meanwhile` is called while it is being done). `done` counts what each key did.
    Unlike a good shop it does things as often as it is told to.
    """

    is_remote: ClassVar[bool] = True

    def __init__(self) -> None:
        now = timezone.now()
        self.account: CustomerRecord | None = CustomerRecord(
            ref="c-7", email="rita.remote@example.com", name="Rita Remote", plan="plus", phone="+1 503-555-0142",
            shipping_address="1 Far Street\nPortland, OR 97205", member_since=now.date(),
        )  # fmt: skip
        tent = LineRecord("TNT-2P-GRN", "Two-person tent", "forest green", "camping", 1, Decimal("180.00"), 0, 1)
        told: dict[str, Any] = {"currency": "USD", "total": Decimal("180.00"), "paid": Decimal("180.00")}
        sent: dict[str, Any] = {"placed_at": now - timedelta(days=9), "delivered_at": now - timedelta(days=5)}
        self.all_orders = {
            "AP-700001": OrderRecord("AP-700001", "delivered", lines=(tent,), **told, **sent),
            "AP-700002": OrderRecord("AP-700002", "paid", lines=(tent,), **told, placed_at=now),
        }
        self.returns: dict[str, ReturnRecord] = {}
        self.faults: deque[str] = deque()
        self.is_away = False
        self.is_mute = False  # cannot say what became of a key
        self.done: Counter[str] = Counter()
        self.ended: dict[str, Outcome] = {}
        self.running: set[str] = set()
        self.meanwhile: Callable[[], object] = lambda: None

    # --- reads
    def customer(self, who: Who) -> CustomerRecord | None:
        self._reach()
        return self.account if self.account and who.ref == self.account.ref else None

    def customer_by_email(self, email: str) -> CustomerRecord | None:
        self._reach()
        return self.account if self.account and self.account.email == email.strip().lower() else None

    def orders(self, who: Who, *, limit: int) -> tuple[Sequence[OrderSummary], int]:
        self._reach()
        mine = sorted(self.all_orders.values(), key=lambda one: one.placed_at, reverse=True) if self._is(who) else []
        return mine[:limit], max(len(mine) - limit, 0)

    def order(self, who: Who, order_number: str) -> OrderRecord | None:
        self._reach()
        return self.all_orders.get(order_number) if self._is(who) else None

    def invoices(self, who: Who, *, limit: int) -> Sequence[InvoiceRecord]:
        self._reach()
        return []

    def refunds_since(self, who: Who, since: datetime) -> Sequence[RefundRecord]:
        self._reach()
        return [one for order in self.all_orders.values() for one in order.refunds if one.created_at >= since]

    def return_of(self, who: Who, number: str) -> ReturnRecord | None:
        self._reach()
        return self.returns.get(number) if self._is(who) else None

    # --- writes
    def cancel_order(self, who: Who, *, order_number: str, reason: str, by: By) -> CancelRecord:
        def cancel() -> CancelRecord:
            order = self.all_orders[order_number]
            refund = self._refund(order, order.paid - order.refunded)
            self.all_orders[order_number] = replace(order, status="cancelled")
            return CancelRecord(self.all_orders[order_number], refund, {"was": order.status})

        record = self._write(by.key, cancel)
        assert isinstance(record, CancelRecord)
        return record

    def restore_order(self, who: Who, *, order_number: str, undo: Mapping[str, str], by: By) -> None:
        def restore() -> None:
            self.all_orders[order_number] = replace(self.all_orders[order_number], status=undo["was"])

        self._write(by.key, restore)

    def create_return(
        self, who: Who, *, order_number: str, skus: Sequence[str], reason: str, fee: Decimal, by: By
    ) -> ReturnRecord:
        def make() -> ReturnRecord:
            lines = [line for line in self.all_orders[order_number].lines if line.sku in skus]
            items = tuple(ReturnedItem(line.sku, line.name, line.variant, line.left) for line in lines)
            number = f"R-{700001 + len(self.returns)}"
            made = ReturnRecord(number, order_number, "label_sent", fee, "USD", timezone.now(), items, reason)
            self.returns[number] = made
            return made

        record = self._write(by.key, make)
        assert isinstance(record, ReturnRecord)
        return record

    def cancel_return(self, who: Who, *, number: str, by: By) -> None:
        self._write(by.key, lambda: None)

    def create_refund(self, who: Who, *, order_number: str, amount: Decimal, reason: str, by: By) -> RefundRecord:
        record = self._write(by.key, lambda: self._refund(self.all_orders[order_number], amount))
        assert isinstance(record, RefundRecord)
        return record

    def report_problem(self, who: Who, *, order_number: str, kind: str, wish: str, by: By) -> None:
        self._write(by.key, lambda: None)

    def update_customer(self, who: Who, *, field: str, value: Value, by: By) -> None:
        def update() -> None:
            assert self.account is not None
            self.account = replace(self.account, **cast(dict[str, Any], {field: value}))

        self._write(by.key, update)

    def outcome(self, key: str) -> Outcome:
        self._reach()
        return Outcome("unknown") if self.is_mute or key in self.running else self.ended.get(key, Outcome("never"))

    # --- how it goes
    def _reach(self) -> None:
        release()  # raises inside a transaction
        if self.is_away:
            raise Unreachable("The shop is away.")

    def _is(self, who: Who) -> bool:
        return self.account is not None and who.ref == self.account.ref

    def _write(self, key: str, act: Callable[[], Any]) -> object:
        self._reach()
        fault = self.faults.popleft() if self.faults else "ok"
        if fault == "unreachable":
            raise Unreachable("The shop is away.")
        if fault == "crash_before":
            raise Crash
        if fault == "not_arrived":
            raise AnswerLost("The line was cut.")
        if fault == "refused":
            self.ended[key] = Outcome("refused", code="too_much", message="That is more than was paid.")
            raise Refused("too_much", "That is more than was paid.")
        if fault == "overtaken":
            self.running.add(key)
            self.meanwhile()
            self.running.remove(key)
        self.done[key] += 1
        record = act()
        self.ended[key] = Outcome("done", record=record)
        if fault == "crash_after":
            raise Crash
        if fault == "lost":
            raise AnswerLost("The line was cut.")
        return record

    def _refund(self, order: OrderRecord, amount: Decimal) -> RefundRecord:
        place = len(order.refunds) + 1
        made = RefundRecord(
            f"{order.order_number}-R{place}", order.order_number, amount, "USD", "approved", timezone.now()
        )
        known = replace(order, refunds=(*order.refunds, made), refunded=order.refunded + amount)
        self.all_orders[order.order_number] = known
        return made
