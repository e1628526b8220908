"""Cancelling, sending back, complaining of a delivery: what is written, and what an undo takes back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from tests.cast import Cast
from tests.desk.conftest import Talk
from tickets.errors import Conflict
from tickets.models import Invoice, Product, Refund, Return
from tickets.services.actions import action_undo

CANCEL = {"order_number": "AP-100002", "reason": "changed my mind"}
SEND_BACK = {"order_number": "AP-100001", "skus": ["LAN-01-BLK"], "reason": "too dark"}


def undo(talk: Talk, action_id: object) -> str:
    return action_undo(conversation=talk.conversation, action_id=action_id).state  # type: ignore[arg-type]


@pytest.fixture
def invoice(cast: Cast) -> Invoice:
    return Invoice.objects.create(
        number="INV-100001",
        customer=cast.owner,
        order=cast.paid,
        amount="180.00",
        status="paid",
        issued_at=timezone.now(),
    )


def test_cancelling_gives_back_what_was_left(talk: Talk, cast: Cast, invoice: Invoice) -> None:
    Refund.objects.create(order=cast.paid, amount="30.00", reason="price error")
    action = talk.do("cancel_order", **CANCEL)
    cast.paid.refresh_from_db()
    invoice.refresh_from_db()
    assert action.receipt["refund"] == "150.00"
    assert (cast.paid.status, cast.paid.refunded_total, invoice.status) == ("cancelled", Decimal("180.00"), "refunded")
    assert cast.paid.cancelled_at is not None


def test_undoing_a_cancellation_restores_order_money_and_invoice(talk: Talk, cast: Cast, invoice: Invoice) -> None:
    Refund.objects.create(order=cast.paid, amount="30.00", reason="price error")
    action = talk.do("cancel_order", **CANCEL)
    assert undo(talk, action.pk) == "undone"
    cast.paid.refresh_from_db()
    invoice.refresh_from_db()
    assert (cast.paid.status, cast.paid.refunded_total, invoice.status) == ("paid", Decimal("30.00"), "paid")
    assert cast.paid.cancelled_at is None


def test_an_unpaid_order_is_cancelled_without_money(talk: Talk, cast: Cast) -> None:
    cast.paid.status, cast.paid.paid_total = "pending", Decimal("0.00")
    cast.paid.save()
    action = talk.do("cancel_order", **CANCEL)
    assert action.state == "done"
    assert "refund" not in action.receipt
    assert undo(talk, action.pk) == "undone"
    cast.paid.refresh_from_db()
    assert cast.paid.status == "pending"


def test_a_cancellation_stays_once_its_money_has_left(talk: Talk, cast: Cast) -> None:
    action = talk.do("cancel_order", **CANCEL)
    Refund.objects.update(status="paid")
    with pytest.raises(Conflict):
        undo(talk, action.pk)
    cast.paid.refresh_from_db()
    assert cast.paid.status == "cancelled"


def test_a_return_has_a_number_a_fee_and_all_pieces(talk: Talk, cast: Cast) -> None:
    action = talk.do("request_return", **SEND_BACK)
    parcel = Return.objects.get()
    assert action.receipt["return_number"] == parcel.number
    assert parcel.number.startswith("R-")
    assert (parcel.fee, parcel.status, parcel.action_id) == (Decimal("4.90"), "label_sent", action.pk)
    assert [(line.order_line.sku, line.quantity) for line in parcel.lines.all()] == [("LAN-01-BLK", 2)]


def test_the_label_is_free_with_plus(cast: Cast) -> None:
    action = Talk(cast.other).do("request_return", **{**SEND_BACK, "order_number": "AP-200001"})
    assert action.receipt["fee"] == "0.00"


def test_what_is_on_its_way_back_cannot_be_sent_again(talk: Talk) -> None:
    first = talk.do("request_return", **SEND_BACK)
    second = talk.do("request_return", **{**SEND_BACK, "reason": "again"})
    assert (second.state, second.receipt["reason"]) == ("failed", "already_returned")
    assert undo(talk, first.pk) == "undone"
    assert Return.objects.get().status == "cancelled"
    assert talk.do("request_return", **{**SEND_BACK, "reason": "after all"}).state == "done"


def test_a_rejected_return_can_be_asked_for_again(talk: Talk) -> None:
    talk.do("request_return", **SEND_BACK)
    Return.objects.update(status="rejected")
    assert talk.do("request_return", **{**SEND_BACK, "reason": "again"}).state == "done"


def test_only_the_pieces_that_are_left_go_back(talk: Talk, cast: Cast) -> None:
    cast.delivered.lines.filter(sku="LAN-01-BLK").update(returned_quantity=1)
    action = talk.do("request_return", **SEND_BACK)
    assert action.receipt["items"][0]["quantity"] == 1


def test_a_return_stays_once_the_parcel_is_here(talk: Talk) -> None:
    action = talk.do("request_return", **SEND_BACK)
    Return.objects.update(status="received")
    with pytest.raises(Conflict):
        undo(talk, action.pk)


def test_gift_cards_and_unknown_items_do_not_go_back(talk: Talk, cast: Cast) -> None:
    Product.objects.filter(sku="LAN-01-BLK").update(category="gift_cards")
    assert talk.do("request_return", **SEND_BACK).receipt["reason"] == "not_returnable"
    assert talk.do("request_return", **{**SEND_BACK, "skus": ["NOPE"]}).receipt["reason"] == "unknown_sku"
    assert not Return.objects.exists()


def test_a_delivery_problem_becomes_a_ticket_and_moves_no_money(talk: Talk, cast: Cast) -> None:
    cast.delivered.shipments.create(
        tracking_number="ALD0000000001",
        carrier="Cascade Post",
        status="delivered",
        delivered_at=cast.delivered.delivered_at,
    )
    action = talk.do("report_delivery_problem", order_number="AP-100001", kind="damaged", wish="refund")
    problem = cast.delivered.problems.get()
    ticket = cast.owner.tickets.get()
    assert (problem.kind, problem.wish, problem.action_id) == ("damaged", "refund", action.pk)
    assert (action.receipt["ticket_number"], ticket.conversation_id) == (ticket.number, talk.conversation.pk)
    assert not Refund.objects.exists()
    again = talk.do("report_delivery_problem", order_number="AP-100001", kind="damaged", wish="replacement")
    assert again.receipt["reason"] == "already_reported"


def test_silence_is_counted_from_the_newest_scan(talk: Talk, cast: Cast) -> None:
    now = timezone.now()
    parcel = cast.paid.shipments.create(
        tracking_number="ALD0000000002",
        carrier="NorthStar Express",
        status="in_transit",
        shipped_at=now - timedelta(days=20),
    )
    parcel.events.create(at=now - timedelta(days=12), description="Arrived at hub")
    scan = parcel.events.create(at=now - timedelta(days=3), description="Left hub")
    arguments = {"order_number": "AP-100002", "kind": "lost", "wish": "replacement"}
    assert talk.do("report_delivery_problem", **arguments).receipt["reason"] == "too_early"
    scan.delete()
    assert talk.do("report_delivery_problem", **arguments).state == "done"
