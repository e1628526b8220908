"""What a confirmed action does, by tool name. Each makes at most one write: the row that points back at its action.

execute(action) -> Receipt       raises NotFound, NotEligible, Conflict or ApprovalNeeded and then changes nothing
undo(action)                     raises Conflict when it is too late for the domain
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.errors import Conflict
from tickets.languages import money
from tickets.models import Action, Refund, User
from tickets.policy import POLICY
from tickets.selectors.returns import refund_shown, return_shown
from tickets.services.customers import customer_restore, customer_update
from tickets.services.delivery import problem_report
from tickets.services.orders import order_cancel, order_uncancel
from tickets.services.refunds import refund_create
from tickets.services.returns import return_cancel, return_create

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the customer is shown (`receipt`, JSON) and what an undo needs (`undo_data`, JSON, never shown)."""

    receipt: Json
    undo_until: datetime | None = None
    undo_data: Json = field(default_factory=dict)


def execute(action: Action, *, approved_by: User | None = None) -> Receipt:
    """Do it, inside the caller's transaction."""
    return _EXECUTE[action.tool](action, approved_by)


def undo(action: Action) -> None:
    """Take it back, inside the caller's transaction."""
    take_back = _UNDO.get(action.tool)
    if take_back is None:
        raise Conflict(_("This cannot be undone here. A person can help."))
    take_back(action)


def _money_back(refund: Refund) -> str:
    amount = money(refund.amount, refund.order.currency)
    return _("%(amount)s go back to the original payment method.") % {"amount": amount}


def _undo_until() -> datetime:
    return timezone.now() + timedelta(minutes=POLICY.undo_minutes)


def _cancel_order(action: Action, __: User | None) -> Receipt:
    number = action.arguments["order_number"]
    done = order_cancel(
        customer_id=action.customer_id, order_number=number, reason=action.arguments["reason"], action=action
    )
    receipt: Json = {"order_number": number, "order_status": done.order.status, "message": _("The order is cancelled.")}
    if done.refund is not None:
        receipt |= {"refund": str(done.refund.amount), "currency": done.order.currency}
        receipt["card"] = refund_shown(done.refund)
        receipt["message"] += " " + _money_back(done.refund)
    return Receipt(receipt, _undo_until(), {"invoices": done.invoices})


def _uncancel_order(action: Action) -> None:
    order_uncancel(
        customer_id=action.customer_id,
        order_number=action.arguments["order_number"],
        invoices=action.undo_data["invoices"],
    )


def _request_return(action: Action, __: User | None) -> Receipt:
    parcel = return_create(
        customer_id=action.customer_id,
        order_number=action.arguments["order_number"],
        skus=action.arguments["skus"],
        reason=action.arguments["reason"],
        action=action,
    )
    lines = parcel.lines.select_related("order_line")
    receipt = {
        "return_number": parcel.number,
        "order_number": action.arguments["order_number"],
        "items": [
            {"sku": line.order_line.sku, "name": line.order_line.name, "quantity": line.quantity} for line in lines
        ],
        "fee": str(parcel.fee),
        "currency": parcel.order.currency,
        "card": return_shown(parcel),
        "message": _("The label for return %(number)s is on its way by e-mail.") % {"number": parcel.number},
    }
    return Receipt(receipt, _undo_until(), {"return_number": parcel.number})


def _cancel_return(action: Action) -> None:
    return_cancel(customer_id=action.customer_id, number=action.undo_data["return_number"])


def _request_refund(action: Action, approved_by: User | None) -> Receipt:
    refund = refund_create(
        customer_id=action.customer_id,
        order_number=action.arguments["order_number"],
        amount=Decimal(action.arguments["amount"]),
        reason=action.arguments["reason"],
        action=action,
        approved_by=approved_by,
    )
    return Receipt(
        {
            "order_number": refund.order.order_number,
            "amount": str(refund.amount),
            "currency": refund.order.currency,
            "refunded_total": str(refund.order.refunded_total),
            "card": refund_shown(refund),
            "message": _money_back(refund),
        }
    )


def _report_delivery_problem(action: Action, __: User | None) -> Receipt:
    problem, ticket = problem_report(
        customer_id=action.customer_id,
        order_number=action.arguments["order_number"],
        kind=action.arguments["kind"],
        wish=action.arguments["wish"],
        action=action,
    )
    return Receipt(
        {
            "order_number": action.arguments["order_number"],
            "kind": problem.kind,
            "wish": problem.wish,
            "ticket_number": ticket.number,
            "message": _("The problem is reported. A person will look into it under ticket %(number)s.")
            % {"number": ticket.number},
        }
    )


def _update_customer(action: Action, __: User | None) -> Receipt:
    name = action.arguments["field"]
    before, after = customer_update(customer_id=action.customer_id, field=name, value=action.arguments["value"])
    return Receipt(
        {"field": name, "value": after, "message": _("Your details are updated.")},
        _undo_until(),
        {"before": before, "after": after},
    )


def _restore_customer(action: Action) -> None:
    customer_restore(
        customer_id=action.customer_id,
        field=action.arguments["field"],
        before=action.undo_data["before"],
        after=action.undo_data["after"],
    )


_EXECUTE: dict[str, Callable[[Action, User | None], Receipt]] = {
    "cancel_order": _cancel_order,
    "request_return": _request_return,
    "request_refund": _request_refund,
    "report_delivery_problem": _report_delivery_problem,
    "update_customer": _update_customer,
}
_UNDO: dict[str, Callable[[Action], None]] = {
    "cancel_order": _uncancel_order,
    "request_return": _cancel_return,
    "update_customer": _restore_customer,
}
