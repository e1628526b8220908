"""Returns and refunds as a customer is shown them."""

from __future__ import annotations

from typing import Any

from tickets import policy
from tickets.backends.records import RefundRecord, ReturnRecord
from tickets.models import Action, Customer, Return

Json = dict[str, Any]


def return_shown(parcel: ReturnRecord) -> Json:
    """A return for its card: what goes back, with what label, until when."""
    return {
        "kind": "return",
        "id": parcel.number,
        "order_number": parcel.order_number,
        "status": parcel.status,
        "items": [{"name": _name(item.name, item.variant), "quantity": item.quantity} for item in parcel.items],
        "fee": f"{parcel.fee:.2f}",
        "currency": parcel.currency,
        "send_by": policy.label_until(parcel.created_at).isoformat(),
        "url": f"/returns/{parcel.number}/label/",
    }


def refund_shown(refund: RefundRecord) -> Json:
    """A refund for its card, under the reference that the customer is told."""
    return {
        "kind": "refund",
        "id": refund.reference,
        "order_number": refund.order_number,
        "status": refund.status,
        "amount": f"{refund.amount:.2f}",
        "currency": refund.currency,
        "method": "original",
        "at": refund.created_at.isoformat(),
    }


def owner_of_return(number: str) -> Customer | None:
    """Whose return it is: by our own table, else by the action that asked another system for it."""
    found = Return.objects.filter(number=number).select_related("order__customer").first()
    if found is not None:
        return found.order.customer
    asked = Action.objects.filter(tool="request_return", receipt__return_number=number)
    action = asked.select_related("customer").first()
    return action.customer if action else None


def _name(name: str, variant: str) -> str:
    return f"{name}, {variant}" if variant else name
