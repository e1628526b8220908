"""Quick questions before the first message: about the customer's own newest orders where we know them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from tickets.models import Customer, Order

UNDERWAY = [Order.Status.PENDING, Order.Status.PAID, Order.Status.PACKED, Order.Status.SHIPPED]
FRESH = timedelta(days=30)


def openers_for(customer: Customer | None, general: Sequence[str | Promise]) -> list[str | Promise]:
    """Four: those of every visitor, the first two about an order on its way and one that arrived, if there are such."""
    openers = list(general[:4])
    if customer is None:
        return openers
    orders = Order.objects.filter(customer=customer).order_by("-placed_at")
    number = orders.filter(status__in=UNDERWAY).values_list("order_number", flat=True).first()
    if number:
        openers[0] = _("Where is my order %(number)s?") % {"number": number}
    arrived = orders.filter(status=Order.Status.DELIVERED, delivered_at__gt=timezone.now() - FRESH)
    number = arrived.values_list("order_number", flat=True).first()
    if number:
        openers[1] = _("How do I return something of order %(number)s?") % {"number": number}
    return openers
