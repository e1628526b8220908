"""Quick questions before the first message: about the customer's own newest orders where we know them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from tickets.backends import ask_soon, backend, who_of
from tickets.backends.port import Unreachable
from tickets.backends.records import OrderSummary
from tickets.models import Customer, Order

UNDERWAY = {Order.Status.PENDING, Order.Status.PAID, Order.Status.PACKED, Order.Status.SHIPPED}
FRESH = timedelta(days=30)
LOOKED_AT = 20
WAIT_S = 1.0  # the page is not kept waiting for them


def openers_for(customer: Customer | None, general: Sequence[str | Promise]) -> list[str | Promise]:
    """Four: those of every visitor, the first two about an order on its way and one that arrived, if there are such."""
    openers = list(general[:4])
    orders = _orders(customer) if customer is not None and len(openers) > 1 else []
    number = next((one.order_number for one in orders if one.status in UNDERWAY), None)
    if number:
        openers[0] = _("Where is my order %(number)s?") % {"number": number}
    since = timezone.now() - FRESH
    arrived = [one for one in orders if one.status == Order.Status.DELIVERED and (one.delivered_at or since) > since]
    number = arrived[0].order_number if arrived else None
    if number:
        openers[1] = _("How do I return something of order %(number)s?") % {"number": number}
    return openers


def _orders(customer: Customer) -> Sequence[OrderSummary]:
    """The newest; none when the system that has them does not answer soon."""
    try:
        return ask_soon(WAIT_S, backend().orders, who_of(customer), limit=LOOKED_AT)[0]
    except Unreachable:
        return []
