"""The desk's own tables as a backend's records. Always within one customer: another's and a missing one are both None.

An order takes two queries and one or two for each kind of thing it has, seven with everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    BooleanField,
    Case,
    Count,
    Exists,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
    Window,
    prefetch_related_objects,
)
from django.db.models.functions import Coalesce

from tickets.backends.records import (
    CustomerRecord,
    InvoiceRecord,
    LineRecord,
    OrderRecord,
    OrderSummary,
    ParcelRecord,
    RefundRecord,
    ReturnedItem,
    ReturnRecord,
    ScanRecord,
)
from tickets.models import (
    Customer,
    DeliveryProblem,
    Invoice,
    Order,
    OrderLine,
    Refund,
    Return,
    ReturnLine,
    Shipment,
)
from tickets.policy import ZERO

ON_THE_WAY_BACK = {Return.Status.LABEL_SENT, Return.Status.RECEIVED, Return.Status.REFUNDED}


EVERYTHING = frozenset({"lines", "shipments", "returns", "refunds"})


def order_record_of(*, customer_id: UUID, order_number: str, parts: Collection[str] = EVERYTHING) -> OrderRecord | None:
    """The order; parts that are not asked for are empty. What a line has `left` needs the returns."""
    mine = Order.objects.filter(customer=customer_id, order_number=order_number)
    order = _with_what_there_is(mine).first()
    if order is None:
        return None
    parts = {part for part in parts if getattr(order, f"has_{part}", True)}
    prefetch_related_objects([order], *(part for part in _parts() if part.prefetch_to in parts))
    return _order(order, parts)


def order_summaries(*, customer_id: UUID, limit: int) -> tuple[list[OrderSummary], int]:
    """The newest orders, and how many more there are; one query."""
    mine = Order.objects.filter(customer=customer_id).annotate(in_all=Window(Count("pk")))
    orders = list(mine.order_by("-placed_at")[:limit])
    return [order_summary(order) for order in orders], max(orders[0].in_all - limit, 0) if orders else 0


def invoice_records(*, customer_id: UUID, limit: int) -> list[InvoiceRecord]:
    found = Invoice.objects.filter(customer=customer_id).select_related("order").order_by("-issued_at")[:limit]
    return [
        InvoiceRecord(
            number=invoice.number,
            amount=invoice.amount,
            currency=invoice.currency,
            status=str(invoice.status),
            issued_at=invoice.issued_at,
            order_number=invoice.order.order_number if invoice.order else "",
            description=invoice.description,
        )
        for invoice in found
    ]


def refund_records_since(*, customer_id: UUID, since: datetime) -> list[RefundRecord]:
    """Those made since then and not rejected; one query."""
    mine = _refunds().filter(order__customer=customer_id, created_at__gte=since)
    return [_refund(refund, refund.order) for refund in mine.exclude(status=Refund.Status.REJECTED)]


def return_record_of(*, customer_id: UUID, number: str) -> ReturnRecord | None:
    """Two queries."""
    mine = Return.objects.filter(number=number, order__customer=customer_id).select_related("order")
    found = mine.prefetch_related(_RETURN_LINES).first()
    return return_record(found) if found else None


def customer_record(customer: Customer) -> CustomerRecord:
    return CustomerRecord(
        ref=customer.external_id or "",
        email=customer.email,
        name=customer.name,
        phone=customer.phone,
        shipping_address=customer.shipping_address,
        plan=str(customer.plan),
        status=str(customer.status),
        locale=customer.locale,
        marketing_opt_in=customer.marketing_opt_in,
        member_since=customer.created_at.date(),
    )


def order_summary(order: Order) -> OrderSummary:
    return OrderSummary(
        order_number=order.order_number,
        status=str(order.status),
        currency=order.currency,
        total=order.total,
        placed_at=order.placed_at,
        delivered_at=order.delivered_at,
    )


def return_record(parcel: Return) -> ReturnRecord:
    return ReturnRecord(
        number=parcel.number,
        order_number=parcel.order.order_number,
        status=str(parcel.status),
        fee=parcel.fee,
        currency=parcel.order.currency,
        created_at=parcel.created_at,
        items=tuple(
            ReturnedItem(part.order_line.sku, part.order_line.name, part.order_line.variant, part.quantity)
            for part in parcel.lines.all()
        ),
        reason=parcel.reason,
    )


def refund_record(refund: Refund) -> RefundRecord:
    """One query."""
    return _refund(_refunds().get(pk=refund.pk), refund.order)


_RETURN_LINES = Prefetch("lines", ReturnLine.objects.select_related("order_line"))


def _with_what_there_is(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Most orders have nothing sent back and nothing refunded: what is not there is not asked for."""
    problems = DeliveryProblem.objects.filter(order=OuterRef("pk"), is_open=True).order_by("kind")
    return orders.annotate(
        open_kinds=ArraySubquery(problems.values("kind").distinct()),
        has_shipments=Exists(Shipment.objects.filter(order=OuterRef("pk"))),
        has_returns=Exists(Return.objects.filter(order=OuterRef("pk"))),
        has_refunds=Exists(Refund.objects.filter(order=OuterRef("pk"))),
    )


def _parts() -> Sequence[Prefetch]:  # type: ignore[type-arg]
    in_parcel = OrderLine.objects.filter(shipments=OuterRef("pk")).order_by("sku")
    parcels = Shipment.objects.annotate(skus=ArraySubquery(in_parcel.values("sku")))
    return (
        Prefetch("lines", OrderLine.objects.select_related("product")),
        Prefetch("shipments", parcels.prefetch_related("events")),
        Prefetch("returns", Return.objects.prefetch_related(_RETURN_LINES)),
        Prefetch("refunds", _refunds()),
    )


def _refunds() -> QuerySet[Refund]:
    """The oldest first. A refund's reference is its order's number and which refund of that order it is; money back
    for goods that stayed here or came back is no favour."""
    before = Refund.objects.filter(order=OuterRef("order"), created_at__lt=OuterRef("created_at")).order_by()
    count = before.values("order").annotate(n=Count("pk")).values("n")
    came_back = Return.objects.filter(order=OuterRef("order"), status=Return.Status.REFUNDED)
    return (
        Refund.objects.select_related("order")
        .annotate(
            place=Coalesce(Subquery(count, output_field=IntegerField()), Value(0)) + 1,
            is_favour=Case(
                When(action__tool="cancel_order", then=Value(False)),
                When(Q(action=None) & Q(order__status=Order.Status.CANCELLED), then=Value(False)),
                When(Q(action=None) & Exists(came_back), then=Value(False)),
                default=Value(True),
                output_field=BooleanField(),
            ),
        )
        .order_by("created_at", "pk")
    )


def _order(order: Order, parts: Collection[str]) -> OrderRecord:
    summary = order_summary(order)
    returns = list(order.returns.all()) if "returns" in parts else []
    on_the_way: Counter[UUID] = Counter()
    for parcel in returns:
        if parcel.status in ON_THE_WAY_BACK:
            for part in parcel.lines.all():
                on_the_way[part.order_line_id] += part.quantity
    return OrderRecord(
        **{name: getattr(summary, name) for name in OrderSummary.__slots__},
        paid=order.paid_total,
        refunded=order.refunded_total or ZERO,
        shipping_method=order.shipping_method,
        shipping_address=order.shipping_address,
        note=order.note,
        lines=tuple(_line(line, on_the_way[line.pk]) for line in order.lines.all()) if "lines" in parts else (),
        parcels=tuple(_parcel(parcel) for parcel in order.shipments.all()) if "shipments" in parts else (),
        returns=tuple(return_record(parcel) for parcel in returns),
        refunds=tuple(_refund(refund, order) for refund in order.refunds.all()) if "refunds" in parts else (),
        open_problems=tuple(order.open_kinds),  # type: ignore[attr-defined]  # annotated
    )


def _line(line: OrderLine, on_the_way: int) -> LineRecord:
    return LineRecord(
        sku=line.sku,
        name=line.name,
        variant=line.variant,
        category=line.product.category,
        quantity=line.quantity,
        unit_price=line.unit_price,
        returned=line.returned_quantity,
        # The larger of both: imported orders count returned pieces without a return of their own.
        left=line.quantity - max(line.returned_quantity, on_the_way),
    )


def _parcel(parcel: Shipment) -> ParcelRecord:
    return ParcelRecord(
        tracking_number=parcel.tracking_number,
        carrier=parcel.carrier,
        status=str(parcel.status),
        shipped_at=parcel.shipped_at,
        estimated_delivery=parcel.estimated_delivery,
        delivered_at=parcel.delivered_at,
        skus=tuple(parcel.skus),  # type: ignore[attr-defined]  # annotated
        scans=tuple(_scans(parcel)),
    )


def _scans(parcel: Shipment) -> Sequence[ScanRecord]:
    return [ScanRecord(scan.at, scan.location, scan.description) for scan in parcel.events.all()]  # newest first


def _refund(refund: Refund, order: Order) -> RefundRecord:
    return RefundRecord(
        reference=f"{order.order_number}-R{refund.place}",  # type: ignore[attr-defined]  # annotated
        order_number=order.order_number,
        amount=refund.amount,
        currency=order.currency,
        status=str(refund.status),
        created_at=refund.created_at,
        is_favour=refund.is_favour,  # type: ignore[attr-defined]  # annotated
    )
