"""The desk's own tables as a backend's records. Always within one customer: another's and a missing one are both None.

A whole order is in `order_records`.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

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
)
from django.db.models.functions import Coalesce

from tickets.backends.records import (
    CustomerRecord,
    InvoiceRecord,
    OrderSummary,
    RefundRecord,
    ReturnedItem,
    ReturnRecord,
)
from tickets.models import Customer, Invoice, Order, Refund, Return, ReturnLine


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


_RETURN_LINES = Prefetch("lines", ReturnLine.objects.select_related("order_line").order_by("order_line__sku"))


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
