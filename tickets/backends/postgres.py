"""The systems of record in our own PostgreSQL: the desk's tables, its services' locks, and the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from tickets.backends.port import Backend, By, CancelRecord, Outcome, Value
from tickets.backends.records import (
    CustomerRecord,
    InvoiceRecord,
    OrderRecord,
    OrderSummary,
    RefundRecord,
    ReturnRecord,
    Who,
)
from tickets.models import Action, User
from tickets.selectors import records
from tickets.selectors.customers import customer_by_email, customer_by_id
from tickets.selectors.order_records import order_record_of
from tickets.services.customers import customer_update
from tickets.services.delivery import problem_report
from tickets.services.orders import order_cancel, order_uncancel
from tickets.services.refunds import refund_create
from tickets.services.returns import return_cancel, return_create


class PostgresBackend(Backend):
    """Writes check policy again under their locks, and point back at their action by a unique column: a second one for
    the same action cannot be."""

    is_remote: ClassVar[bool] = False

    def customer(self, who: Who) -> CustomerRecord | None:
        found = customer_by_id(who.id)
        return records.customer_record(found) if found else None

    def customer_by_email(self, email: str) -> CustomerRecord | None:
        found = customer_by_email(email)
        return records.customer_record(found) if found else None

    def orders(self, who: Who, *, limit: int) -> tuple[Sequence[OrderSummary], int]:
        return records.order_summaries(customer_id=who.id, limit=limit)

    def order(self, who: Who, order_number: str) -> OrderRecord | None:
        return order_record_of(customer_id=who.id, order_number=order_number)

    def invoices(self, who: Who, *, limit: int) -> Sequence[InvoiceRecord]:
        return records.invoice_records(customer_id=who.id, limit=limit)

    def refunds_since(self, who: Who, since: datetime) -> Sequence[RefundRecord]:
        return records.refund_records_since(customer_id=who.id, since=since)

    def return_of(self, who: Who, number: str) -> ReturnRecord | None:
        return records.return_record_of(customer_id=who.id, number=number)

    def cancel_order(self, who: Who, *, order_number: str, reason: str, by: By) -> CancelRecord:
        done = order_cancel(customer_id=who.id, order_number=order_number, reason=reason, action=_action(by))
        refund = records.refund_record(done.refund) if done.refund else None
        return CancelRecord(records.order_summary(done.order), refund, done.invoices)

    def restore_order(self, who: Who, *, order_number: str, undo: Mapping[str, str], by: By) -> None:
        order_uncancel(customer_id=who.id, order_number=order_number, invoices=dict(undo))

    def create_return(
        self, who: Who, *, order_number: str, skus: Sequence[str], reason: str, fee: Decimal, by: By
    ) -> ReturnRecord:
        parcel = return_create(
            customer_id=who.id, order_number=order_number, skus=skus, reason=reason, fee=fee, action=_action(by)
        )
        return records.return_record(parcel)

    def cancel_return(self, who: Who, *, number: str, by: By) -> None:
        return_cancel(customer_id=who.id, number=number)

    def create_refund(self, who: Who, *, order_number: str, amount: Decimal, reason: str, by: By) -> RefundRecord:
        refund = refund_create(
            customer_id=who.id,
            order_number=order_number,
            amount=amount,
            reason=reason,
            action=_action(by),
            approved_by=User.objects.get(username=by.approved_by) if by.approved_by else None,
        )
        return replace(records.refund_record(refund), refunded_total=refund.order.refunded_total)

    def report_problem(self, who: Who, *, order_number: str, kind: str, wish: str, by: By) -> None:
        problem_report(customer_id=who.id, order_number=order_number, kind=kind, wish=wish, action=_action(by))

    def update_customer(self, who: Who, *, field: str, value: Value, by: By) -> None:
        customer_update(customer_id=who.id, field=field, value=value)

    def outcome(self, key: str) -> Outcome:
        """What was written was committed with its action, so what is asked about later was never done."""
        return Outcome("never")


def _action(by: By) -> Action | None:
    return Action.objects.filter(pk=by.action_id).first() if by.action_id else None
