"""Reads of orders, always within one customer: another's order and a missing one are both None."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Prefetch, Q, Sum

from tickets.models import Action, Order, OrderLine, Refund, Return, Shipment, ShipmentEvent
from tickets.policy import POLICY, ZERO, RefundFacts, ReturnItem, ShipmentFacts

ON_THE_WAY_BACK = [Return.Status.LABEL_SENT, Return.Status.RECEIVED, Return.Status.REFUNDED]


def order_of_customer(*, customer_id: UUID, order_number: str) -> Order | None:
    """The order with lines, parcels and returns loaded, in six queries."""
    return (
        Order.objects.filter(customer=customer_id, order_number=order_number)
        .select_related("customer")
        .prefetch_related(
            Prefetch("lines", OrderLine.objects.select_related("product")),
            Prefetch("shipments", Shipment.objects.prefetch_related("lines")),
            "returns__lines__order_line",
        )
        .first()
    )


def orders_recent(*, customer_id: UUID, limit: int) -> tuple[list[Order], int]:
    """The newest orders, and how many more there are."""
    orders = Order.objects.filter(customer=customer_id)
    return list(orders.order_by("-placed_at")[:limit]), max(orders.count() - limit, 0)


def shipment_events_latest(shipments: Sequence[Shipment], *, limit: int) -> dict[UUID, list[ShipmentEvent]]:
    """The newest events of each parcel, newest first, in one query."""
    found: dict[UUID, list[ShipmentEvent]] = {parcel.pk: [] for parcel in shipments}
    for event in ShipmentEvent.objects.filter(shipment__in=shipments).order_by("-at"):
        if len(found[event.shipment_id]) < limit:
            found[event.shipment_id].append(event)
    return found


def return_items(order: Order, skus: Sequence[str] | None = None) -> list[ReturnItem]:
    """What of an order could come back, in the order's own order; unknown SKUs are simply not in the answer."""
    on_the_way: Counter[UUID] = Counter()
    for parcel in order.returns.all():
        if parcel.status in ON_THE_WAY_BACK:
            for part in parcel.lines.all():
                on_the_way[part.order_line_id] += part.quantity
    return [
        ReturnItem(
            sku=line.sku,
            name=f"{line.name} {line.variant}".rstrip(),
            category=line.product.category,
            # The larger of both: imported orders count returned pieces without a return of their own.
            left=line.quantity - max(line.returned_quantity, on_the_way[line.pk]),
        )
        for line in order.lines.all()
        if skus is None or line.sku in skus
    ]


def refund_facts(order: Order) -> RefundFacts:
    return RefundFacts(
        status=order.status,
        paid=order.paid_total,
        refunded=order.refunded_total,
        placed_at=order.placed_at,
        delivered_at=order.delivered_at,
    )


def refund_sums(*, order: Order, now: datetime, without: UUID | None = None) -> tuple[Decimal, Decimal]:
    """(of this order ever, of its customer within the policy's days): refunds not rejected and those that await staff.

    Money back for goods that stayed here or came back is no favour, so it does not count. `without` leaves one action
    out.
    """
    since = now - timedelta(days=POLICY.refund_limit_days)
    refunds = (
        Refund.objects.exclude(status=Refund.Status.REJECTED)
        .exclude(action__tool="cancel_order")
        .exclude(action=None, order__status=Order.Status.CANCELLED)
        .exclude(action=None, order__returns__status=Return.Status.REFUNDED)
        .aggregate(
            of_order=Sum("amount", filter=Q(order=order), default=ZERO),
            of_customer=Sum("amount", filter=Q(order__customer=order.customer_id, created_at__gte=since), default=ZERO),
        )
    )
    of_order, of_customer = refunds["of_order"], refunds["of_customer"]
    waiting = Action.objects.filter(
        customer=order.customer_id, tool="request_refund", state=Action.State.AWAITING_STAFF
    )
    if without is not None:
        waiting = waiting.exclude(pk=without)
    for arguments in waiting.values_list("arguments", flat=True):
        of_customer += Decimal(arguments["amount"])
        if arguments["order_number"] == order.order_number:
            of_order += Decimal(arguments["amount"])
    return of_order, of_customer


def shipment_facts(order: Order) -> list[ShipmentFacts]:
    """Each parcel of the order with its newest scan."""
    parcels = list(order.shipments.all())
    latest = shipment_events_latest(parcels, limit=1)
    return [
        ShipmentFacts(
            status=parcel.status,
            estimated_delivery=parcel.estimated_delivery,
            delivered_at=parcel.delivered_at,
            last_scan_at=latest[parcel.pk][0].at if latest[parcel.pk] else parcel.shipped_at,
        )
        for parcel in parcels
    ]
