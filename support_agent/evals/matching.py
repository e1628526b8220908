"""Orders from life and the fixtures that come nearest to them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from support_agent.evals.records import RECORDS, OrderFixture
from tickets.models import Customer, Order, Shipment

NUMBER = re.compile(r"(?<![\w-])#?(?:AP[- ]?)?(\d{6})(?!\w)", re.IGNORECASE)
TRACKING = re.compile(r"\bALD\d{10}\b", re.IGNORECASE)
MOST_UNNAMED = 2
SPECIAL = {  # only for what they are about
    "noted_order",
    "gift_card_order",
    "watch_order",
    "jackets_order",
    "euro_order",
    "stove_order",
    "scanned_order",
    "wholesale_order",
}


def orders_in(texts: Iterable[str], moment: datetime) -> dict[str, Order]:
    """The orders the texts name, by how they name them; a parcel's number names its order."""
    spelled: dict[str, str] = {}
    parcels: set[str] = set()
    for text in texts:
        spelled |= {match[0].lstrip("#"): f"AP-{match[1]}" for match in NUMBER.finditer(text)}
        parcels |= {match.upper() for match in TRACKING.findall(text)}
    orders = Order.objects.filter(placed_at__lte=moment).prefetch_related("shipments", "lines")
    by_number = {order.order_number: order for order in orders.filter(order_number__in=set(spelled.values()))}
    found = {written: by_number[number] for written, number in spelled.items() if number in by_number}
    for shipment in Shipment.objects.filter(tracking_number__in=parcels).select_related("order"):
        found[shipment.order.order_number] = shipment.order
    return found | {order.order_number: order for order in found.values()}


def latest_of(customer: Customer | None, moment: datetime) -> dict[str, Order]:
    """The customer's newest orders of that time, for who says "my order" and names none."""
    if customer is None:
        return {}
    orders = Order.objects.filter(customer=customer, placed_at__lte=moment).order_by("-placed_at")[:MOST_UNNAMED]
    return {order.order_number: order for order in orders}


def has_parcel(record: str) -> bool:
    return RECORDS[record.removeprefix("other.")].parcel is not None


def nearest(orders: Iterable[Order], moment: datetime, customer: Customer | None = None) -> dict[UUID, str]:
    """A fixture's name for each order, `other.…` for somebody else's; two orders never get the same one."""
    found: dict[UUID, str] = {}
    for order in dict.fromkeys(orders):
        whose = "other." if customer and order.customer_id != customer.pk else ""
        taken = {name.removeprefix("other.") for name in found.values() if name.startswith("other.") == bool(whose)}
        unlike = {name: _distance(order, name, moment) for name in RECORDS}
        found[order.pk] = whose + min(RECORDS, key=lambda name: (name in taken, unlike[name]))
    return found


def _distance(order: Order, name: str, moment: datetime) -> float:
    """How unlike they are: the status first, then the parcel, the age, the number of lines."""
    fixture = RECORDS[name]
    status, parcel = _status(order, moment), _parcel(order)
    far = 0.0
    far += 100 * (fixture.status != status)
    far += 20 * ((fixture.parcel.status if fixture.parcel else "") != parcel)
    far += 10 * (name in SPECIAL and not _is_about(order, fixture))
    age = (moment - (order.delivered_at or order.placed_at)) / timedelta(days=1)
    far += min(abs(age - (fixture.delivered if fixture.delivered is not None else fixture.placed)), 60) / 10
    return far + abs(order.lines.count() - len(fixture.lines))


def _status(order: Order, moment: datetime) -> str:
    """As it was then, as far as the order tells."""
    if order.cancelled_at and order.cancelled_at > moment:
        return order.status_before_cancel or Order.Status.PAID
    if order.delivered_at and order.delivered_at > moment:
        return Order.Status.SHIPPED
    if order.status in (Order.Status.PARTLY_RETURNED, Order.Status.RETURNED, Order.Status.REFUNDED):
        return Order.Status.DELIVERED
    return str(order.status)


def _parcel(order: Order) -> str:
    shipment = order.shipments.first()
    return str(shipment.status) if shipment else ""


def _is_about(order: Order, fixture: OrderFixture) -> bool:
    skus = {sku for (sku, *_), _ in fixture.lines}
    return (
        not fixture.note and order.currency == fixture.currency and any(line.sku in skus for line in order.lines.all())
    )
