"""What the desk's own tables answer as a backend: whole, the customer's own, and in few queries whatever is in them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from tests.cast import Cast
from tests.desk.conftest import Talk
from tickets.backends import backend, who_of
from tickets.backends.records import Who
from tickets.ids import new_id
from tickets.models import Customer, DeliveryProblem, Order, Refund, Return, ReturnLine
from tickets.selectors.customers import customer_by_id

Count = Callable[[int], AbstractContextManager[object]]


@pytest.fixture
def who(cast: Cast) -> Who:
    return who_of(cast.owner)


def fill(order: Order) -> None:
    """Two parcels with scans, a return, two refunds and a problem."""
    for number in (1, 2):
        parcel = order.shipments.create(tracking_number=f"ALD{number}", carrier="Cascade Post", status="in_transit")
        parcel.lines.set(order.lines.all())
        for days in (1, 2):
            parcel.events.create(at=timezone.now() - timedelta(days=days), description=f"Scan {days}")
    back = Return.objects.create(number="R-1", order=order, reason="x")
    ReturnLine.objects.create(parent=back, order_line=order.lines.get(sku="LAN-01-BLK"), quantity=1)
    Refund.objects.create(order=order, amount=Decimal("5.00"), reason="x", status="rejected")
    Refund.objects.create(order=order, amount=Decimal("7.00"), reason="x")
    DeliveryProblem.objects.create(order=order, kind="late", wish="wait")
    DeliveryProblem.objects.create(order=order, kind="lost", wish="wait", is_open=False)


def test_a_whole_order_in_one_query(cast: Cast, who: Who, django_assert_num_queries: Count) -> None:
    fill(cast.delivered)
    with django_assert_num_queries(0):  # beside the statement that is written out
        order = backend().order(who, "AP-100001")
    assert order is not None
    assert (order.paid, order.refunded, order.open_problems) == (Decimal("180.00"), Decimal("7.00"), ("late",))
    assert [(line.sku, line.quantity, line.left) for line in order.lines] == [
        ("LAN-01-BLK", 2, 1),
        ("TNT-2P-GRN", 1, 1),
    ]
    assert [parcel.skus for parcel in order.parcels] == [("LAN-01-BLK", "TNT-2P-GRN")] * 2
    assert [scan.description for scan in order.parcels[0].scans] == ["Scan 1", "Scan 2"]
    assert [(one.reference, one.status) for one in order.refunds] == [
        ("AP-100001-R1", "rejected"),
        ("AP-100001-R2", "approved"),
    ]
    assert [(item.sku, item.quantity) for item in order.returns[0].items] == [("LAN-01-BLK", 1)]


def test_lists_take_a_query_each(cast: Cast, who: Who, django_assert_num_queries: Count) -> None:
    with django_assert_num_queries(1):
        orders, more = backend().orders(who, limit=1)
    assert ([one.order_number for one in orders], more) == (["AP-100002"], 1)
    fill(cast.delivered)
    with django_assert_num_queries(1):
        [refund] = backend().refunds_since(who, timezone.now() - timedelta(days=1))
    assert refund.reference == "AP-100001-R2"
    with django_assert_num_queries(2):
        assert backend().return_of(who, "R-1") is not None


def test_money_back_for_goods_is_no_favour(cast: Cast, who: Who, talk: Talk) -> None:
    talk.do("cancel_order", order_number="AP-100002", reason="x")
    talk.do("request_refund", order_number="AP-100001", amount="10.00", reason="x")
    made = backend().refunds_since(who, timezone.now() - timedelta(days=1))
    assert [(one.amount, one.is_favour) for one in made] == [(Decimal("180.00"), False), (Decimal("10.00"), True)]


def test_what_is_anothers_is_not_there(cast: Cast, who: Who) -> None:
    fill(cast.foreign)
    assert backend().order(who, "AP-200001") is None
    assert backend().return_of(who, "R-1") is None
    assert backend().refunds_since(who, timezone.now() - timedelta(days=1)) == []


def test_a_customer_by_id_is_the_whole_row(cast: Cast) -> None:
    Customer.objects.filter(pk=cast.owner.pk).update(external_id="c-7", phone="+1 503 555 0142", marketing_opt_in=True)
    expected, found = Customer.objects.get(pk=cast.owner.pk), customer_by_id(cast.owner.pk)
    assert found == expected
    assert found is not None
    assert found.get_deferred_fields() == set()
    names = [field.attname for field in Customer._meta.concrete_fields]
    assert [repr(getattr(found, name)) for name in names] == [repr(getattr(expected, name)) for name in names]
    found.name = "Olivia Moved"
    found.save(update_fields=["name"])  # a row that is there, not a new one
    assert Customer.objects.get(pk=cast.owner.pk).name == "Olivia Moved"
    assert customer_by_id(new_id()) is None
    assert customer_by_id(None) is None
