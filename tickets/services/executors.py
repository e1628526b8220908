"""What a confirmed action does, by tool name, in whichever system keeps the records. Each makes at most one write.

check(action)                    policy once more on fresh facts, before another system is asked; our own services
                                 check under their locks. Raises NotFound, NotEligible, InvalidValue, ApprovalNeeded
execute(action, key=…) -> Receipt    raises what `check` and the backend raise, and Conflict of a tool that is not there
                                     any more; then nothing is changed
undo(action, key=…)              raises Conflict or Refused when it is too late
receipt(action, record)          what the customer is shown of what a backend answered; safe to make twice
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from tickets import policy
from tickets.backends import backend, who_of
from tickets.backends.port import By, CancelRecord, Value
from tickets.backends.records import OrderRecord, RefundRecord, ReturnRecord
from tickets.errors import Conflict, NotEligible, NotFound
from tickets.languages import money
from tickets.models import Action, DeliveryProblem
from tickets.policy import POLICY
from tickets.selectors.returns import refund_shown, return_shown
from tickets.services.accounts import account_held, account_of
from tickets.services.customers import customer_clean
from tickets.services.eligibility import (
    problem_check,
    refund_check,
    refunds_count_since,
    refunds_pending,
    require,
    return_check,
)
from tickets.services.orders import NO_ORDER
from tickets.services.refunds import ApprovalNeeded
from tickets.services.tickets import ticket_create

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the customer is shown (`receipt`, JSON) and what an undo needs (`undo_data`, JSON, never shown)."""

    receipt: Json
    undo_until: datetime | None = None
    undo_data: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Changed:
    """A detail of an account, before and after."""

    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class Deed:
    """What a tool's action does."""

    check: Callable[[Action, bool], None]  # and whether staff approved it
    do: Callable[[Action, By], Any]  # the backend's record
    receipt: Callable[[Action, Any], Receipt]
    undo: Callable[[Action, By], None] | None = None


def is_deed(tool: str) -> bool:
    return tool in _DEEDS


def check(action: Action, *, approved: bool = False) -> None:
    _DEEDS[action.tool].check(action, approved)


def execute(action: Action, *, key: str, approved_by: str = "") -> Receipt:
    """Do it; with our own tables inside the caller's transaction."""
    deed = _DEEDS.get(action.tool)
    if deed is None:  # offered by a company's own module that is not there any more
        raise Conflict(_("This can no longer be done here. A person can help."))
    return deed.receipt(action, deed.do(action, By(key=key, action_id=str(action.pk), approved_by=approved_by)))


def undo(action: Action, *, key: str) -> None:
    """Take it back; with our own tables inside the caller's transaction."""
    take_back = _DEEDS[action.tool].undo if is_deed(action.tool) else None
    if take_back is None:
        raise Conflict(_("This cannot be undone here. A person can help."))
    take_back(action, By(key=key, action_id=str(action.pk)))


def receipt(action: Action, record: object) -> Receipt:
    """Of what turned out to be done, when its answer had been lost."""
    deed = _DEEDS.get(action.tool)
    if deed is None or (record is None and deed.receipt in _NEED_A_RECORD):
        return Receipt({"message": _("This is done.")})
    return deed.receipt(action, record)


def _money_back(amount: Decimal, currency: str) -> str:
    return _("%(amount)s go back to the original payment method.") % {"amount": money(amount, currency)}


def _undo_until() -> datetime:
    return timezone.now() + timedelta(minutes=POLICY.undo_minutes)


def _order(action: Action) -> OrderRecord:
    order = backend().order(who_of(action.customer), action.arguments["order_number"])
    if order is None:
        raise NotFound(NO_ORDER)
    return order


def _check_cancel(action: Action, _approved: bool) -> None:
    require(policy.can_cancel(_order(action).status))


def _cancel_order(action: Action, by: By) -> CancelRecord:
    told = action.arguments
    return backend().cancel_order(
        who_of(action.customer), order_number=told["order_number"], reason=told["reason"], by=by
    )


def _cancelled(action: Action, done: CancelRecord) -> Receipt:
    number = action.arguments["order_number"]
    shown: Json = {"order_number": number, "order_status": done.order.status, "message": _("The order is cancelled.")}
    if done.refund is not None:
        shown |= {"refund": str(done.refund.amount), "currency": done.order.currency}
        shown["card"] = refund_shown(done.refund)
        shown["message"] += " " + _money_back(done.refund.amount, done.order.currency)
    return Receipt(shown, _undo_until(), {"undo": dict(done.undo)})


def _uncancel_order(action: Action, by: By) -> None:
    # Until release 8 what an undo needs had another name.
    needed = action.undo_data.get("undo", action.undo_data.get("invoices", {}))
    number = action.arguments["order_number"]
    backend().restore_order(who_of(action.customer), order_number=number, undo=needed, by=by)


def _check_return(action: Action, _approved: bool) -> None:
    return_check(_order(action), action.arguments["skus"])


def _request_return(action: Action, by: By) -> ReturnRecord:
    told = action.arguments
    fee = policy.return_fee(account_of(action.customer).plan)
    return backend().create_return(
        who_of(action.customer),
        order_number=told["order_number"],
        skus=told["skus"],
        reason=told["reason"],
        fee=fee,
        by=by,
    )


def _returned(action: Action, parcel: ReturnRecord) -> Receipt:
    shown = {
        "return_number": parcel.number,
        "order_number": action.arguments["order_number"],
        "items": [{"sku": item.sku, "name": item.name, "quantity": item.quantity} for item in parcel.items],
        "fee": str(parcel.fee),
        "currency": parcel.currency,
        "card": return_shown(parcel),
        "message": _("The label for return %(number)s is on its way by e-mail.") % {"number": parcel.number},
    }
    return Receipt(shown, _undo_until(), {"return_number": parcel.number})


def _cancel_return(action: Action, by: By) -> None:
    backend().cancel_return(who_of(action.customer), number=action.undo_data["return_number"], by=by)


def _check_refund(action: Action, approved: bool) -> None:
    number, now, who = action.arguments["order_number"], timezone.now(), who_of(action.customer)
    pending = refunds_pending(customer_id=action.customer_id, order_number=number, without=action.pk)
    order, recent = _order(action), backend().refunds_since(who, refunds_count_since(now))
    amount = Decimal(action.arguments["amount"])
    if refund_check(order, recent, amount=amount, pending=pending, now=now) and not approved:
        raise ApprovalNeeded(_("A person has to approve this refund."))


def _request_refund(action: Action, by: By) -> RefundRecord:
    told = action.arguments
    return backend().create_refund(
        who_of(action.customer),
        order_number=told["order_number"],
        amount=Decimal(told["amount"]),
        reason=told["reason"],
        by=by,
    )


def _refunded(action: Action, refund: RefundRecord) -> Receipt:
    shown: Json = {"order_number": refund.order_number, "amount": str(refund.amount), "currency": refund.currency}
    if refund.refunded_total is not None:
        shown["refunded_total"] = str(refund.refunded_total)
    shown |= {"card": refund_shown(refund), "message": _money_back(refund.amount, refund.currency)}
    return Receipt(shown)


def _check_problem(action: Action, _approved: bool) -> None:
    problem_check(_order(action), action.arguments["kind"], now=timezone.now())


def _report_delivery_problem(action: Action, by: By) -> None:
    told = action.arguments
    backend().report_problem(
        who_of(action.customer), order_number=told["order_number"], kind=told["kind"], wish=told["wish"], by=by
    )


def _reported(action: Action, _record: None) -> Receipt:
    """A person looks into it, under a ticket here."""
    told = action.arguments
    kind, wish = DeliveryProblem.Kind(told["kind"]), DeliveryProblem.Wish(told["wish"])
    ticket = ticket_create(
        subject=f"{kind.label}: order {told['order_number']}",
        body=f"The customer reports: {kind.label.lower()}. They wish: {wish.label.lower()}.",
        category="product",
        priority="high" if wish != DeliveryProblem.Wish.WAIT else "medium",
        customer=action.customer,
        conversation=action.conversation,
        idempotency_key=f"action:{action.pk}",
    )
    return Receipt(
        {
            "order_number": told["order_number"],
            "kind": kind.value,
            "wish": wish.value,
            "ticket_number": ticket.number,
            "message": _("The problem is reported. A person will look into it under ticket %(number)s.")
            % {"number": ticket.number},
        }
    )


def _change_of(action: Action) -> Changed:
    """Raises InvalidValue, or NotEligible when nothing would change."""
    name, account = action.arguments["field"], account_held(action.customer)
    after = customer_clean(name, action.arguments["value"], locale=account.locale)
    before: Value = getattr(account, name)
    if before == after:
        raise NotEligible("unchanged", _("That is already what we have on file."))
    return Changed(before, after)


def _checked_as_it_is_done(_action: Action, _approved: bool) -> None:
    """Nothing of policy: what would change is read anyway just before it is changed."""


def _update_customer(action: Action, by: By) -> Changed:
    name, change = action.arguments["field"], _change_of(action)
    backend().update_customer(who_of(action.customer), field=name, value=change.after, by=by)
    return change


def _updated(action: Action, change: Changed | None) -> Receipt:
    name = action.arguments["field"]
    if change is None:  # its answer was lost: what it was before stands in the offer
        change = Changed(action.preview["before"], action.preview["after"])
    shown = {"field": name, "value": change.after, "message": _("Your details are updated.")}
    return Receipt(shown, _undo_until(), {"before": change.before, "after": change.after})


def _restore_customer(action: Action, by: By) -> None:
    """Put the old value back, unless somebody changed it since."""
    name = action.arguments["field"]
    if getattr(account_held(action.customer), name) != action.undo_data["after"]:
        raise Conflict(_("This was changed again since, so it cannot be undone here."))
    backend().update_customer(who_of(action.customer), field=name, value=action.undo_data["before"], by=by)


_DEEDS: dict[str, Deed] = {
    "cancel_order": Deed(_check_cancel, _cancel_order, _cancelled, _uncancel_order),
    "request_return": Deed(_check_return, _request_return, _returned, _cancel_return),
    "request_refund": Deed(_check_refund, _request_refund, _refunded),
    "report_delivery_problem": Deed(_check_problem, _report_delivery_problem, _reported),
    "update_customer": Deed(_checked_as_it_is_done, _update_customer, _updated, _restore_customer),
}
_NEED_A_RECORD = (_cancelled, _returned, _refunded)
