"""What happens to a case's record between two messages: the warehouse packs, staff refund, an article is edited, time
passes. What it changes is expected from then on; what anything else changes still fails the case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from support_agent.evals.records import Parcel, ship
from tickets.models import Action, Article, Customer, Message, Order, Plan, Shipment, ShipmentEvent, User
from tickets.services.articles import article_save, article_set_status
from tickets.services.orders import order_cancel
from tickets.services.refunds import refund_create

WITHDRAWN = "withdrawn"


@transaction.atomic
def change_order(order: Order, what: str) -> None:
    """Through the desk's service where it has one; a warehouse writes the rest itself."""
    order.refresh_from_db()
    ORDER_CHANGES[what](order)


def change_customer(customer: Customer, what: str) -> None:
    Customer.objects.filter(pk=customer.pk).update(**CUSTOMER_CHANGES[what])


def change_article(article: Article, what: str) -> None:
    """Another body, or `withdrawn`: back into the drafts."""
    if what == WITHDRAWN:
        article_set_status(article=article, status=Article.Status.DRAFT)
        return
    article_save(slug=article.slug, title=article.title, category=article.category, body=what, status=article.status)


def pass_time(conversation_id: UUID, orders: list[Order], span: timedelta) -> None:
    """Everything of the case becomes older by so much; nobody waits."""
    Message.objects.filter(conversation=conversation_id).update(created_at=F("created_at") - span)
    Action.objects.filter(conversation=conversation_id).update(
        created_at=F("created_at") - span, expires_at=F("expires_at") - span, undo_until=F("undo_until") - span
    )
    mine = Order.objects.filter(pk__in=[order.pk for order in orders])
    mine.update(placed_at=F("placed_at") - span, delivered_at=F("delivered_at") - span)
    parcels = Shipment.objects.filter(order__in=mine)
    parcels.update(
        shipped_at=F("shipped_at") - span,
        delivered_at=F("delivered_at") - span,
        estimated_delivery=F("estimated_delivery") - timedelta(days=span.days),
    )
    ShipmentEvent.objects.filter(shipment__in=parcels).update(at=F("at") - span)


def _status(status: str) -> Callable[[Order], None]:
    return lambda order: _save(order, status)


def _save(order: Order, status: str) -> None:
    order.status = status
    order.save(update_fields=["status"])


def _ship(order: Order) -> None:
    _save(order, Order.Status.SHIPPED)
    ship(order, Parcel("in_transit", due=3, scanned=0))


def _deliver(order: Order) -> None:
    now = timezone.now()
    order.delivered_at = now
    order.save(update_fields=["delivered_at"])
    _save(order, Order.Status.DELIVERED)
    if not order.shipments.exists():
        ship(order, Parcel("delivered", due=0, scanned=0, scan="Delivered"))
    for parcel in order.shipments.all():
        parcel.status, parcel.delivered_at = Shipment.Status.DELIVERED, now
        parcel.save(update_fields=["status", "delivered_at"])
        ShipmentEvent.objects.create(shipment=parcel, at=now, location="Portland, OR", description="Delivered")


def _pay(order: Order) -> None:
    order.paid_total = order.total
    order.save(update_fields=["paid_total"])
    _save(order, Order.Status.PAID)


def _cancel(order: Order) -> None:
    order_cancel(customer_id=order.customer_id, order_number=order.order_number, reason="Cancelled by our team")


def _refund(order: Order) -> None:
    """All that is left, as staff do it."""
    staff, _ = User.objects.get_or_create(username="evals", defaults={"is_staff": True})
    refund_create(
        customer_id=order.customer_id,
        order_number=order.order_number,
        amount=order.paid_total - order.refunded_total,
        reason="Refunded by our team",
        approved_by=staff,
    )


ORDER_CHANGES: Mapping[str, Callable[[Order], None]] = MappingProxyType(
    {
        "paid": _pay,
        "packed": _status(Order.Status.PACKED),
        "shipped": _ship,
        "delivered": _deliver,
        "cancelled": _cancel,
        "refunded": _refund,
    }
)
CUSTOMER_CHANGES: Mapping[str, dict[str, str]] = MappingProxyType({"upgraded": {"plan": Plan.PLUS}})
