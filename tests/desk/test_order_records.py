"""A whole order in one statement is what the models say, to the cent, the microsecond and the place in its list."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from tests.cast import Cast
from tests.reference_order import orders_with_everything, reference
from tickets.backends.records import OrderRecord
from tickets.ids import new_id
from tickets.models import Action, Customer, DeliveryProblem, Order, Refund, Return, ReturnLine
from tickets.selectors.order_records import order_record_of
from tickets.selectors.records import refund_record, return_record_of
from tickets.services.conversations import conversation_create

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def whole(order: Order) -> OrderRecord:
    """The statement's record, which is the reference's: also as text, where 7 is not 7.00 nor one zone another."""
    found = order_record_of(customer_id=order.customer_id, order_number=order.order_number)
    expected = reference(orders_with_everything().get(pk=order.pk))
    assert found == expected
    assert repr(found) == repr(expected)
    return expected


def action_of(customer: Customer, tool: str) -> Action:
    conversation, _ = conversation_create(channel="chat", customer=customer, identity="session")
    return Action.objects.create(
        conversation=conversation,
        customer=customer,
        idempotency_key=str(new_id()),
        tool=tool,
        arguments={},
        summary=tool,
        expires_at=timezone.now(),
    )


def send_back(order: Order, number: str, status: str, **pieces: int) -> Return:
    """A return; of each SKU, written with `_` for `-`, so many pieces."""
    back = Return.objects.create(number=number, order=order, status=status, reason=f"“{status}” – naïve", fee="4.90")
    for sku, quantity in pieces.items():
        line = order.lines.get(sku=sku.replace("_", "-"))
        ReturnLine.objects.create(parent=back, order_line=line, quantity=quantity)
    return back


def refund(order: Order, amount: str, minutes: int, status: str = "approved", tool: str = "") -> Refund:
    """One made so many minutes after noon, by an action of the tool if one is named."""
    action = action_of(order.customer, tool) if tool else None
    made = NOON + timedelta(minutes=minutes)
    return Refund.objects.create(
        order=order, amount=Decimal(amount), reason="x", status=status, action=action, created_at=made
    )


def test_an_order_with_nothing_but_lines(cast: Cast) -> None:
    record = whole(cast.paid)
    assert (record.parcels, record.returns, record.refunds, record.open_problems) == ((), (), (), ())
    assert str(record.refunded) == "0.00"
    cast.paid.lines.all().delete()
    assert whole(cast.paid).lines == ()


@pytest.mark.parametrize("status", Return.Status.values)
def test_a_return_in_every_state(cast: Cast, status: str) -> None:
    send_back(cast.delivered, "R-1", status, TNT_2P_GRN=1, LAN_01_BLK=1)
    refund(cast.delivered, "5.00", 0)
    record = whole(cast.delivered)
    assert [item.sku for item in record.returns[0].items] == ["LAN-01-BLK", "TNT-2P-GRN"]
    assert [line.left for line in record.lines] == ([2, 1] if status in {"rejected", "cancelled"} else [1, 0])
    assert record.refunds[0].is_favour == (status != "refunded")
    assert return_record_of(customer_id=cast.owner.pk, number="R-1") == record.returns[0]


def test_what_is_left_goes_by_the_larger_of_returned_and_on_its_way(cast: Cast) -> None:
    send_back(cast.delivered, "R-1", "cancelled", LAN_01_BLK=2)
    send_back(cast.delivered, "R-2", "received", LAN_01_BLK=1)
    assert [parcel.number for parcel in whole(cast.delivered).returns] == ["R-2", "R-1"]  # newest first
    cast.delivered.lines.filter(sku="LAN-01-BLK").update(returned_quantity=2)
    assert [line.left for line in whole(cast.delivered).lines] == [0, 1]
    send_back(cast.delivered, "R-3", "label_sent", TNT_2P_GRN=1)
    assert [line.left for line in whole(cast.delivered).lines] == [0, 0]


@pytest.mark.parametrize("order_status", ["delivered", "cancelled"])
@pytest.mark.parametrize("back", ["", "received", "refunded"])
def test_refunds_with_and_without_actions(cast: Cast, order_status: str, back: str) -> None:
    Order.objects.filter(pk=cast.delivered.pk).update(status=order_status)
    if back:
        send_back(cast.delivered, "R-1", back)
    made = [
        refund(cast.delivered, "7.10", 3),
        refund(cast.delivered, "1.00", 1, tool="cancel_order"),
        refund(cast.delivered, "20.00", 2, status="rejected", tool="request_refund"),
        refund(cast.delivered, "0.01", 3, status="paid"),  # with the first at once: they share a place
    ]
    record = whole(cast.delivered)
    assert [one.reference[-2:] for one in record.refunds] == ["R1", "R2", "R3", "R3"]
    for_goods = order_status == "cancelled" or back == "refunded"
    assert [one.is_favour for one in record.refunds] == [False, True, not for_goods, not for_goods]
    assert record.refunded == Decimal("8.11")
    assert {refund_record(Refund.objects.get(pk=one.pk)) for one in made} == set(record.refunds)


def test_several_parcels_and_their_scans(cast: Cast) -> None:
    lines = list(cast.delivered.lines.all())
    for number, content in enumerate((lines, lines[1:], [])):
        parcel = cast.delivered.shipments.create(
            tracking_number=f"ALD{number}",
            carrier='Cascade "Post"\n\\ & Sons',
            status="in_transit",
            shipped_at=NOON + timedelta(microseconds=number * 120) if number else None,
            estimated_delivery=date(2026, 3, 29) if number else None,
            delivered_at=NOON if number == 2 else None,
        )
        parcel.lines.set(content)
        for minutes in range(number * 3):
            parcel.events.create(at=NOON + timedelta(minutes=minutes * 4 % 7), description=f"→ {minutes}")
    record = whole(cast.delivered)
    assert [parcel.skus for parcel in record.parcels] == [("LAN-01-BLK", "TNT-2P-GRN"), ("TNT-2P-GRN",), ()]
    assert [len(parcel.scans) for parcel in record.parcels] == [0, 3, 6]


def test_open_problems_once_each_by_kind(cast: Cast) -> None:
    for kind, is_open in (("lost", True), ("late", True), ("late", True), ("damaged", False)):
        DeliveryProblem.objects.create(order=cast.delivered, kind=kind, wish="wait", is_open=is_open)
    assert whole(cast.delivered).open_problems == ("late", "lost")


def test_what_belongs_to_another_order_is_not_in_it(cast: Cast) -> None:
    before = whole(cast.paid)
    send_back(cast.delivered, "R-1", "refunded", TNT_2P_GRN=1)
    refund(cast.delivered, "5.00", 0)
    DeliveryProblem.objects.create(order=cast.delivered, kind="late", wish="wait")
    assert whole(cast.paid) == before
    assert order_record_of(customer_id=cast.other.pk, order_number="AP-100001") is None
    assert order_record_of(customer_id=cast.owner.pk, order_number="AP-999999") is None


def test_parts_that_are_not_asked_for_are_empty(cast: Cast) -> None:
    send_back(cast.delivered, "R-1", "received", LAN_01_BLK=1)
    refund(cast.delivered, "5.00", 0)
    cast.delivered.shipments.create(tracking_number="ALD1", carrier="Cascade Post")
    record = whole(cast.delivered)
    bare = replace(record, lines=(), parcels=(), returns=(), refunds=())
    of = {"lines": "lines", "shipments": "parcels", "returns": "returns", "refunds": "refunds"}
    for part, field in of.items():
        found = order_record_of(customer_id=cast.owner.pk, order_number="AP-100001", parts={part})
        assert found == replace(bare, **{field: getattr(record, field)})
    assert order_record_of(customer_id=cast.owner.pk, order_number="AP-100001", parts=()) == bare
