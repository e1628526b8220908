"""Returns and refunds as a customer is shown them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tickets import policy
from tickets.models import Refund, Return

Json = dict[str, Any]


def returns_shown(numbers: Iterable[str]) -> dict[str, Json]:
    """What a card of each return shows, by its number; three queries."""
    found = Return.objects.filter(number__in=list(numbers)).select_related("order")
    return {parcel.number: return_shown(parcel) for parcel in found.prefetch_related("lines__order_line")}


def return_of_number(number: str) -> Return | None:
    """A return with its order, customer and lines; three queries."""
    found = Return.objects.filter(number=number).select_related("order__customer")
    return found.prefetch_related("lines__order_line").first()


def return_shown(parcel: Return) -> Json:
    """A return for its card: what goes back, with what label, until when."""
    return {
        "kind": "return",
        "id": parcel.number,
        "order_number": parcel.order.order_number,
        "status": str(parcel.status),
        "items": [
            {"name": _name(line.order_line.name, line.order_line.variant), "quantity": line.quantity}
            for line in parcel.lines.all()
        ],
        "fee": f"{parcel.fee:.2f}",
        "currency": parcel.order.currency,
        "send_by": policy.label_until(parcel.created_at).isoformat(),
        "url": f"/returns/{parcel.number}/label/",
    }


def refunds_shown(order_numbers: Iterable[str]) -> list[Json]:
    """What the cards of these orders' refunds show, oldest first; one query."""
    refunds = Refund.objects.filter(order__order_number__in=list(order_numbers)).select_related("order")
    count: dict[str, int] = {}
    shown = []
    for refund in refunds.order_by("created_at", "pk"):
        number = refund.order.order_number
        count[number] = count.get(number, 0) + 1
        shown.append(_refund(refund, count[number]))
    return shown


def refund_shown(refund: Refund) -> Json:
    """A refund for its card. Its reference is the order's number and which refund of that order it is."""
    before = Refund.objects.filter(order=refund.order_id, created_at__lt=refund.created_at).count()
    return _refund(refund, before + 1)


def _refund(refund: Refund, place: int) -> Json:
    return {
        "kind": "refund",
        "id": f"{refund.order.order_number}-R{place}",
        "order_number": refund.order.order_number,
        "status": str(refund.status),
        "amount": f"{refund.amount:.2f}",
        "currency": refund.order.currency,
        "method": "original",
        "at": refund.created_at.isoformat(),
    }


def _name(name: str, variant: str) -> str:
    return f"{name}, {variant}" if variant else name
