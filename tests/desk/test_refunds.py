"""Money out: the limit of a click, and what the database holds whoever writes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from tests.cast import Cast, make_order
from tests.desk.conftest import Talk
from tickets.models import Invoice, Order, Refund, Return
from tickets.services.actions import action_approve, action_undo


def refund(talk: Talk, amount: str, order: str = "AP-100001") -> str:
    return talk.do("request_refund", order_number=order, amount=amount, reason="test").state


def refunded(order: Order) -> Decimal:
    total: Decimal = Order.objects.get(pk=order.pk).refunded_total
    return total


def test_four_refunds_of_75_do_not_pass(talk: Talk, cast: Cast) -> None:
    states = [refund(talk, "75.00")]
    for _ in range(3):
        another = Talk(cast.owner)
        states.append(refund(another, "75.00"))
    assert states == ["done", "awaiting_staff", "awaiting_staff", "awaiting_staff"]
    assert refunded(cast.delivered) == Decimal("75.00")


def test_a_hundred_in_parts_passes_and_a_cent_more_does_not(talk: Talk, cast: Cast) -> None:
    assert [refund(talk, "60.00"), refund(talk, "40.00"), refund(Talk(cast.owner), "0.01")] == [
        "done",
        "done",
        "awaiting_staff",
    ]


def test_the_limit_sums_over_the_customers_orders(talk: Talk, cast: Cast) -> None:
    assert refund(talk, "75.00") == "done"
    assert refund(talk, "75.00", "AP-100002") == "awaiting_staff"


def test_what_awaits_staff_counts_as_well(talk: Talk, cast: Cast) -> None:
    assert refund(talk, "101.00") == "awaiting_staff"
    assert refund(Talk(cast.owner), "10.00", "AP-100002") == "awaiting_staff"


def test_another_customers_refunds_do_not_count(talk: Talk, cast: Cast) -> None:
    assert refund(Talk(cast.other), "90.00", "AP-200001") == "done"
    assert refund(talk, "90.00") == "done"


@pytest.mark.parametrize(("days", "state"), [(29, "awaiting_staff"), (31, "done")])
def test_the_customers_sum_looks_back_thirty_days(talk: Talk, cast: Cast, days: int, state: str) -> None:
    old = make_order(cast.owner, "AP-100009", Order.Status.DELIVERED, days_ago=50, delivered_days_ago=45)
    Refund.objects.create(order=old, amount="90.00", reason="old", created_at=timezone.now() - timedelta(days=days))
    assert refund(talk, "20.00") == state


def test_the_orders_sum_looks_back_for_ever(talk: Talk, cast: Cast) -> None:
    Refund.objects.create(
        order=cast.delivered, amount="90.00", reason="old", created_at=timezone.now() - timedelta(days=45)
    )
    assert refund(talk, "20.00") == "awaiting_staff"


def test_rejected_refunds_and_cancelled_orders_do_not_count(talk: Talk, cast: Cast) -> None:
    Refund.objects.create(order=cast.delivered, amount="90.00", reason="no", status=Refund.Status.REJECTED)
    assert talk.do("cancel_order", order_number="AP-100002", reason="test").state == "done"
    assert refund(talk, "100.00") == "done"


def test_cancelling_and_undoing_it_makes_no_room_for_more(talk: Talk, cast: Cast) -> None:
    assert refund(talk, "75.00", "AP-100002") == "done"
    cancelled = talk.do("cancel_order", order_number="AP-100002", reason="test")
    assert refund(talk, "75.00") == "awaiting_staff"
    assert action_undo(conversation=talk.conversation, action_id=cancelled.pk).state == "undone"


def test_the_money_of_a_return_does_not_count(talk: Talk, cast: Cast) -> None:
    parcel = Return.objects.create(number="R-1", order=cast.delivered, reason="too small", status="refunded")
    Refund.objects.create(order=cast.delivered, amount="90.00", reason=parcel.number, status="paid")
    assert refund(talk, "75.00") == "done"
    assert refund(talk, "15.00", "AP-100002") == "done"
    assert refund(talk, "15.00") == "awaiting_staff"


def test_a_full_refund_closes_order_and_invoice(talk: Talk, cast: Cast) -> None:
    invoice = Invoice.objects.create(
        number="INV-1",
        customer=cast.owner,
        order=cast.delivered,
        amount="180.00",
        status="paid",
        issued_at=timezone.now(),
    )
    action = talk.propose("request_refund", order_number="AP-100001", amount="180.00", reason="test")
    talk.click(action)
    action_approve(action_id=action.pk, staff=cast.agent, approve=True)
    cast.delivered.refresh_from_db()
    invoice.refresh_from_db()
    assert (cast.delivered.status, cast.delivered.refunded_total) == ("refunded", Decimal("180.00"))
    assert invoice.status == "refunded"


def test_the_database_sums_refunds_whoever_writes_them(cast: Cast) -> None:
    order = cast.delivered
    one = Refund.objects.create(order=order, amount="30.00", reason="a")
    two = Refund.objects.create(order=order, amount="20.00", reason="b")
    assert refunded(order) == Decimal("50.00")
    Refund.objects.filter(pk=one.pk).update(amount="35.00")
    assert refunded(order) == Decimal("55.00")
    Refund.objects.filter(pk=two.pk).update(status=Refund.Status.REJECTED)
    assert refunded(order) == Decimal("35.00")
    Refund.objects.filter(pk=one.pk).update(order=cast.paid)
    assert (refunded(order), refunded(cast.paid)) == (Decimal("0.00"), Decimal("35.00"))
    Refund.objects.all().delete()
    assert refunded(cast.paid) == Decimal("0.00")


def test_a_stale_save_cannot_forget_refunds(cast: Cast) -> None:
    stale = Order.objects.get(pk=cast.delivered.pk)
    Refund.objects.create(order=cast.delivered, amount="30.00", reason="a")
    stale.note = "edited elsewhere"
    stale.save()
    assert refunded(cast.delivered) == Decimal("30.00")


def test_nobody_can_refund_more_than_was_paid(cast: Cast) -> None:
    Refund.objects.create(order=cast.delivered, amount="180.00", reason="all")
    with pytest.raises(IntegrityError, match="order_refunds_within_paid"), transaction.atomic():
        Refund.objects.create(order=cast.delivered, amount="0.01", reason="a cent more")
    with pytest.raises(IntegrityError, match="order_refunds_within_paid"), transaction.atomic():
        Refund.objects.bulk_create([Refund(order=cast.delivered, amount="0.01", reason="in bulk")])
    with pytest.raises(IntegrityError, match="order_refunds_within_paid"), transaction.atomic():
        Order.objects.filter(pk=cast.delivered.pk).update(paid_total="10.00")
    assert refunded(cast.delivered) == Decimal("180.00")
