"""The contract over the desk's own tables. Their writes stand in the caller's transaction, so they need no keys."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.utils import timezone

from tests.backends.contract import Contract
from tests.backends.world import Sold, World
from tests.cast import Cast, make_customer, make_order
from tickets.backends import who_of
from tickets.backends.port import By
from tickets.backends.postgres import PostgresBackend
from tickets.ids import new_id
from tickets.models import Action, Customer, Invoice, Order, Refund, Return, Shipment, ShipmentEvent
from tickets.services.conversations import conversation_create

LINES = (("TNT-2P-GRN", 1, Decimal("130.00")), ("LAN-01-BLK", 2, Decimal("25.00")))


@pytest.fixture
def world(cast: Cast) -> World:
    shipped = make_order(cast.owner, "AP-100003", Order.Status.SHIPPED, days_ago=3)
    _parcel(shipped)
    Invoice.objects.create(
        number="INV-100002",
        customer=cast.owner,
        order=cast.paid,
        description="Order AP-100002",
        amount=cast.paid.total,
        status=Invoice.Status.PAID,
        issued_at=cast.paid.placed_at,
    )
    _parcel(cast.delivered)
    Shipment.objects.filter(order=cast.delivered).update(status="delivered", delivered_at=cast.delivered.delivered_at)
    closed = make_customer("clara.closed@example.com", "Clara Closed", "free")
    Customer.objects.filter(pk=closed.pk).update(status=Customer.Status.CLOSED)
    return World(
        backend=PostgresBackend(),
        owner=who_of(cast.owner),
        other=who_of(cast.other),
        closed_email=closed.email,
        delivered=Sold("AP-100001", LINES),
        paid=Sold("AP-100002", LINES),
        shipped=Sold("AP-100003", LINES),
        foreign=Sold("AP-200001", LINES),
        by=lambda tool: _by(cast.owner, tool),
        money_leaves=_money_leaves,
        parcel_arrives=_parcel_arrives,
        write_note=_write_note,
    )


@pytest.mark.django_db
class TestPostgresBackend(Contract):
    """Every promise of the port that a local backend makes."""


def _parcel(order: Order) -> None:
    now = timezone.now()
    parcel = Shipment.objects.create(
        order=order,
        tracking_number=f"TRACK{order.order_number[-6:]}",
        carrier="Northline",
        status=Shipment.Status.IN_TRANSIT,
        shipped_at=now - timedelta(days=2),
        estimated_delivery=(now + timedelta(days=2)).date(),
    )
    parcel.lines.set(order.lines.all())
    for days, words in ((2, "Picked up"), (1, "Sorted at the depot")):
        ShipmentEvent.objects.create(shipment=parcel, at=now - timedelta(days=days), description=words)


def _by(customer: Customer, tool: str) -> By:
    conversation, _ = conversation_create(channel="chat", customer=customer, identity="session")
    action = Action.objects.create(
        conversation=conversation,
        customer=customer,
        idempotency_key=str(new_id()),
        tool=tool,
        arguments={},
        summary=tool,
        expires_at=timezone.now(),
    )
    return By(key=f"action:{action.pk}", action_id=str(UUID(str(action.pk))))


def _money_leaves(number: str) -> None:
    Refund.objects.filter(order__order_number=number).update(status=Refund.Status.PAID)


def _parcel_arrives(number: str) -> None:
    Return.objects.filter(number=number).update(status=Return.Status.RECEIVED)


def _write_note(number: str, text: str) -> None:
    Order.objects.filter(order_number=number).update(note=text)
