"""The reference adapter: a shop that speaks the HTTP API of docs/backends.md, at BACKEND_URL with BACKEND_TOKEN.

What goes out waits for somebody else's server, so no database connection is held meanwhile. Whose records are meant
stands in the path, from `Who` alone; whatever the shop hands out of another customer is not taken (promise I7).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from pydantic import ValidationError

from tickets.backends import wire
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
from tickets.backends.transport import Transport, away, lost, path
from tickets.errors import NotFound

log = logging.getLogger(__name__)
Json = dict[str, Any]
W = TypeVar("W", bound=wire.Wire)


class HttpBackend(Backend):
    """A company whose system has states of its own names them in a subclass; one that speaks otherwise overrides the
    calls that differ."""

    order_states: ClassVar[Mapping[str, str]] = {}
    """The system's own words for the states of an order, each with the product's."""

    def __init__(self, url: str = "", token: str = "") -> None:
        url = url or settings.BACKEND_URL
        if not url:
            raise ImproperlyConfigured("BACKEND_URL is empty, but the address of the shop's API is expected.")
        self._transport = Transport(url, token or settings.BACKEND_TOKEN)
        self._context: Json = {"order_states": self.order_states}

    # --- reads
    def customer(self, who: Who) -> CustomerRecord | None:
        if not who.ref:
            return self.customer_by_email(who.email)
        found = self._own(wire.Customer, who.ref)
        return found.record() if found else None

    def customer_by_email(self, email: str) -> CustomerRecord | None:
        found = self._get(wire.Customer, "customers", email=email)
        if found is None or found.status == "closed" or not same(email.strip().casefold(), found.email.casefold()):
            return None
        return found.record()

    def orders(self, who: Who, *, limit: int) -> tuple[Sequence[OrderSummary], int]:
        found = self._list(wire.Orders, self._ref(who), "orders", limit=str(limit))
        if found is None:
            return (), 0
        newest = sorted((order.record() for order in found.orders), key=lambda order: order.placed_at, reverse=True)
        return tuple(newest[:limit]), found.more + max(len(newest) - limit, 0)

    def order(self, who: Who, order_number: str) -> OrderRecord | None:
        found = self._own(wire.Order, self._ref(who), "orders", order_number)
        return found.record() if found and same(order_number, found.order_number) else None

    def invoices(self, who: Who, *, limit: int) -> Sequence[InvoiceRecord]:
        found = self._list(wire.Invoices, self._ref(who), "invoices", limit=str(limit))
        records = [invoice.record() for invoice in found.invoices] if found else []
        return tuple(sorted(records, key=lambda invoice: invoice.issued_at, reverse=True)[:limit])

    def refunds_since(self, who: Who, since: datetime) -> Sequence[RefundRecord]:
        found = self._list(wire.Refunds, self._ref(who), "refunds", since=since.isoformat())
        return tuple(refund.record() for refund in found.refunds if refund.status != "rejected") if found else ()

    def return_of(self, who: Who, number: str) -> ReturnRecord | None:
        found = self._own(wire.Return, self._ref(who), "returns", number)
        return found.record() if found and same(number, found.number) else None

    # --- writes
    def cancel_order(self, who: Who, *, order_number: str, reason: str, by: By) -> CancelRecord:
        done = self._write(wire.Cancelled, who, ("orders", order_number, "cancellation"), {"reason": reason}, by)
        must_be(order_number, done.order.order_number, *([done.refund.order_number] if done.refund else []))
        return done.record()

    def restore_order(self, who: Who, *, order_number: str, undo: Mapping[str, str], by: By) -> None:
        done = self._write(wire.Order, who, ("orders", order_number, "restoration"), {"undo": dict(undo)}, by)
        must_be(order_number, done.order_number)

    def create_return(
        self, who: Who, *, order_number: str, skus: Sequence[str], reason: str, fee: Decimal, by: By
    ) -> ReturnRecord:
        body = {"skus": list(skus), "reason": reason, "fee": f"{fee:.2f}"}
        done = self._write(wire.Return, who, ("orders", order_number, "returns"), body, by)
        must_be(order_number, done.order_number)
        return done.record()

    def cancel_return(self, who: Who, *, number: str, by: By) -> None:
        done = self._write(wire.Return, who, ("returns", number, "cancellation"), {}, by)
        must_be(number, done.number)

    def create_refund(self, who: Who, *, order_number: str, amount: Decimal, reason: str, by: By) -> RefundRecord:
        body = {"amount": f"{amount:.2f}", "reason": reason}
        done = self._write(wire.Refund, who, ("orders", order_number, "refunds"), body, by)
        must_be(order_number, done.order_number)
        return done.record()

    def report_problem(self, who: Who, *, order_number: str, kind: str, wish: str, by: By) -> None:
        body = {"kind": kind, "wish": wish}
        done = self._write(wire.Order, who, ("orders", order_number, "problems"), body, by)
        must_be(order_number, done.order_number)

    def update_customer(self, who: Who, *, field: str, value: Value, by: By) -> None:
        self._write(wire.Customer, who, (), {"field": field, "value": value}, by, method="PATCH")

    def outcome(self, key: str) -> Outcome:
        """Only the shop's own word counts: that the page is missing does not mean `never`."""
        found = self._get(wire.Known, path("idempotency", key))
        if found is None:
            raise away()
        try:
            return found.record(self._context)
        except ValidationError as problem:
            misfit("outcome", problem)
            raise away() from problem

    # --- how
    def _ref(self, who: Who) -> str:
        """The shop's own id of them; empty when it does not know them."""
        if who.ref:
            return who.ref
        found = self.customer_by_email(who.email)
        return found.ref if found else ""

    def _own(self, shape: type[W], ref: str, *where: str) -> W | None:
        """One record of the customer's; another's is None, as if it were not there."""
        found = self._get(shape, path("customers", ref, *where))
        return found if found and same({ref}, found.owners()) else None

    def _list(self, shape: type[W], ref: str, what: str, **params: str) -> W | None:
        """A list is the customer's as a whole, or an answer that does not fit."""
        found = self._get(shape, path("customers", ref, what), **params)
        if found and not same({ref}, found.owners() or {ref}):
            raise away()
        return found

    def _get(self, shape: type[W], where: str, **params: str) -> W | None:
        """None for what the shop itself says it has not. Raises Unreachable."""
        if not where:
            return None
        answer = self._transport.read(where, params)
        if answer.status != 200:
            if answer.is_not_found:
                return None
            log.error("backend_read_failed", extra={"status": answer.status})
            raise away()
        try:
            return shape.model_validate_json(answer.body, context=self._context)
        except ValidationError as problem:
            misfit(shape.__name__, problem)
            raise away() from problem

    def _write(self, shape: type[W], who: Who, where: Sequence[str], body: Json, by: By, *, method: str = "POST") -> W:
        """What was done. Raises Refused, NotFound, Unreachable or AnswerLost."""
        ref = self._ref(who)
        target = path("customers", ref, *where)
        if not target:
            raise NotFound
        asked_by = {"action_id": by.action_id, "approved_by": by.approved_by}
        body = {**body, **{name: value for name, value in asked_by.items() if value}}
        answer = self._transport.write(method, target, body, by.key)
        if answer.status != 200:
            raise answer.refusal()
        try:
            done = shape.model_validate_json(answer.body, context=self._context)
        except ValidationError as problem:
            misfit(shape.__name__, problem)
            raise lost() from problem
        if not same({ref}, done.owners()):
            raise lost()
        return done


def same(wanted: object, found: object) -> bool:
    """Whether this is what was asked for. Anything else is the shop's mistake and somebody's data: no word of it."""
    if wanted != found:
        log.error("backend_foreign_record")
    return wanted == found


def must_be(wanted: str, *found: str) -> None:
    """What was changed is what was meant, or nobody knows what was done."""
    if not same({wanted}, set(found)):
        raise lost()


def misfit(what: str, problem: ValidationError) -> None:
    wrong = [".".join(map(str, error["loc"])) for error in problem.errors(include_input=False, include_url=False)]
    log.error("backend_answer_misfit", extra={"what": what, "fields": wrong[:20]})
