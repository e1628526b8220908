"""A whole order's record put together from the models, plainly: what the written-out statement is held against."""

from __future__ import annotations

from django.db.models import Prefetch, QuerySet

from tickets.backends.records import (
    LineRecord,
    OrderRecord,
    ParcelRecord,
    RefundRecord,
    ReturnedItem,
    ReturnRecord,
    ScanRecord,
)
from tickets.models import Order, OrderLine, Refund, Return, ReturnLine, Shipment


def orders_with_everything() -> QuerySet[Order]:
    """With all that `reference` reads, in as many queries for one order as for all."""
    items = ReturnLine.objects.select_related("order_line").order_by("order_line__sku")
    return Order.objects.prefetch_related(
        Prefetch("lines", OrderLine.objects.select_related("product")),
        "shipments__lines",
        "shipments__events",
        Prefetch("returns", Return.objects.prefetch_related(Prefetch("lines", items))),
        Prefetch("refunds", Refund.objects.select_related("action").order_by("created_at", "pk")),
        "problems",
    )


def reference(order: Order) -> OrderRecord:
    return OrderRecord(
        order_number=order.order_number,
        status=order.status,
        currency=order.currency,
        total=order.total,
        placed_at=order.placed_at,
        delivered_at=order.delivered_at,
        paid=order.paid_total,
        refunded=order.refunded_total,
        shipping_method=order.shipping_method,
        shipping_address=order.shipping_address,
        note=order.note,
        lines=tuple(_line(order, line) for line in order.lines.all()),
        parcels=tuple(_parcel(parcel) for parcel in order.shipments.all()),
        returns=tuple(_return(order, parcel) for parcel in order.returns.all()),
        refunds=tuple(_refund(order, refund) for refund in order.refunds.all()),
        open_problems=tuple(sorted({problem.kind for problem in order.problems.all() if problem.is_open})),
    )


def _line(order: Order, line: OrderLine) -> LineRecord:
    coming = [parcel for parcel in order.returns.all() if parcel.status in {"label_sent", "received", "refunded"}]
    pieces = sum(item.quantity for parcel in coming for item in parcel.lines.all() if item.order_line_id == line.pk)
    return LineRecord(
        sku=line.sku,
        name=line.name,
        variant=line.variant,
        category=line.product.category,
        quantity=line.quantity,
        unit_price=line.unit_price,
        returned=line.returned_quantity,
        left=line.quantity - max(line.returned_quantity, pieces),
    )


def _parcel(parcel: Shipment) -> ParcelRecord:
    return ParcelRecord(
        tracking_number=parcel.tracking_number,
        carrier=parcel.carrier,
        status=parcel.status,
        shipped_at=parcel.shipped_at,
        estimated_delivery=parcel.estimated_delivery,
        delivered_at=parcel.delivered_at,
        skus=tuple(line.sku for line in parcel.lines.all()),
        scans=tuple(ScanRecord(scan.at, scan.location, scan.description) for scan in parcel.events.all()),
    )


def _return(order: Order, parcel: Return) -> ReturnRecord:
    return ReturnRecord(
        number=parcel.number,
        order_number=order.order_number,
        status=parcel.status,
        fee=parcel.fee,
        currency=order.currency,
        created_at=parcel.created_at,
        items=tuple(
            ReturnedItem(item.order_line.sku, item.order_line.name, item.order_line.variant, item.quantity)
            for item in parcel.lines.all()
        ),
        reason=parcel.reason,
    )


def _refund(order: Order, refund: Refund) -> RefundRecord:
    earlier = [other for other in order.refunds.all() if other.created_at < refund.created_at]
    return RefundRecord(
        reference=f"{order.order_number}-R{len(earlier) + 1}",
        order_number=order.order_number,
        amount=refund.amount,
        currency=order.currency,
        status=refund.status,
        created_at=refund.created_at,
        is_favour=_is_favour(order, refund),
    )


def _is_favour(order: Order, refund: Refund) -> bool:
    if refund.action is not None:
        return refund.action.tool != "cancel_order"
    return order.status != "cancelled" and all(parcel.status != "refunded" for parcel in order.returns.all())
