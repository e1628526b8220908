"""Every rule of the shop, at its boundary."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tickets.policy import (
    RefundFacts,
    ReturnItem,
    ShipmentFacts,
    Verdict,
    can_cancel,
    can_refund,
    can_report,
    can_return,
    needs_approval,
    return_fee,
    return_until,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TENT = ReturnItem("TNT-2P-GRN", "Larkspur 2 tent", "tents", 1)


def days_ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("pending", "ok"),
        ("paid", "ok"),
        ("packed", "already_packed"),
        ("shipped", "already_shipped"),
        ("delivered", "already_shipped"),
        ("partly_returned", "already_shipped"),
        ("returned", "already_shipped"),
        ("refunded", "already_shipped"),
        ("cancelled", "already_cancelled"),
    ],
)
def test_an_order_is_cancelled_before_it_is_packed(status: str, code: str) -> None:
    assert can_cancel(status).code == code


def returning(item: ReturnItem = TENT, *, status: str = "delivered", days: int | None = 5) -> Verdict:
    delivered_at = None if days is None else days_ago(days)
    return can_return(status=status, delivered_at=delivered_at, items=[item], now=NOW)


@pytest.mark.parametrize(("days", "code"), [(0, "ok"), (30, "ok"), (31, "window_over")])
def test_returns_close_thirty_days_after_delivery(days: int, code: str) -> None:
    assert returning(days=days).code == code


@pytest.mark.parametrize(
    "category", ["gift_cards", "Gift card", "stove_fuel", "stove-fuel", "personalised", "Personalized"]
)
def test_some_kinds_never_come_back(category: str) -> None:
    assert returning(ReturnItem("X", "It", category, 1)).code == "not_returnable"


@pytest.mark.parametrize(
    ("status", "days", "code"),
    [
        ("partly_returned", 5, "ok"),
        ("paid", None, "not_delivered"),
        ("packed", None, "not_delivered"),
        ("shipped", None, "not_delivered"),
        ("returned", 5, "order_closed"),
        ("refunded", 5, "order_closed"),
        ("cancelled", None, "order_closed"),
    ],
)
def test_only_what_was_delivered_comes_back(status: str, days: int | None, code: str) -> None:
    assert returning(status=status, days=days).code == code


def test_nothing_comes_back_twice() -> None:
    assert returning(ReturnItem("X", "It", "tents", 0)).code == "already_returned"


@pytest.mark.parametrize(("plan", "fee"), [("free", "4.90"), ("plus", "0.00"), ("enterprise", "0.00")])
def test_the_label_is_free_for_who_pays_for_a_plan(plan: str, fee: str) -> None:
    assert return_fee(plan) == Decimal(fee)


def test_the_last_day_of_a_return_is_counted_from_delivery() -> None:
    assert return_until(datetime(2026, 11, 1, 23, 59, tzinfo=UTC)) == date(2026, 12, 1)
    assert return_until(None) is None


def refunding(
    amount: str,
    *,
    status: str = "delivered",
    paid: str = "180.00",
    refunded: str = "0.00",
    placed_days: int = 9,
    delivered_days: int | None = 5,
) -> Verdict:
    delivered_at = None if delivered_days is None else days_ago(delivered_days)
    facts = RefundFacts(status, Decimal(paid), Decimal(refunded), days_ago(placed_days), delivered_at)
    return can_refund(Decimal(amount), facts, now=NOW)


@pytest.mark.parametrize(
    ("amount", "refunded", "code"),
    [
        ("0.00", "0.00", "amount_not_positive"),
        ("-1.00", "0.00", "amount_not_positive"),
        ("0.01", "0.00", "ok"),
        ("180.00", "0.00", "ok"),
        ("180.01", "0.00", "over_remaining"),
        ("80.00", "100.00", "ok"),
        ("80.01", "100.00", "over_remaining"),
        ("0.01", "180.00", "nothing_left"),
    ],
)
def test_a_refund_stays_within_what_was_paid(amount: str, refunded: str, code: str) -> None:
    assert refunding(amount, refunded=refunded).code == code


@pytest.mark.parametrize(("days", "code"), [(60, "ok"), (61, "window_over")])
def test_refunds_close_sixty_days_after_delivery(days: int, code: str) -> None:
    assert refunding("10.00", placed_days=90, delivered_days=days).code == code


@pytest.mark.parametrize(("days", "code"), [(60, "ok"), (61, "window_over")])
def test_an_undelivered_order_counts_from_its_placing(days: int, code: str) -> None:
    assert refunding("10.00", status="shipped", placed_days=days, delivered_days=None).code == code


def test_only_paid_orders_are_refunded() -> None:
    assert refunding("10.00", paid="0.00").code == "not_paid"
    assert refunding("10.00", status="pending").code == "not_paid"


@pytest.mark.parametrize(
    ("amount", "of_order", "of_customer", "needed"),
    [
        ("100.00", "0", "0", False),
        ("100.01", "0", "0", True),
        ("25.00", "75.00", "75.00", False),
        ("25.01", "75.00", "75.00", True),
        ("75.00", "75.00", "0", True),
        ("75.00", "0", "75.00", True),
    ],
)
def test_more_than_a_hundred_in_sum_goes_to_a_person(
    amount: str, of_order: str, of_customer: str, needed: bool
) -> None:
    assert needs_approval(Decimal(amount), of_order=Decimal(of_order), of_customer=Decimal(of_customer)) is needed


def parcel(
    status: str = "in_transit",
    *,
    estimated: date | None = None,
    delivered_days: int | None = None,
    scan_days: int | None = None,
) -> ShipmentFacts:
    return ShipmentFacts(
        status,
        estimated,
        None if delivered_days is None else days_ago(delivered_days),
        None if scan_days is None else days_ago(scan_days),
    )


def report(
    kind: str,
    *parcels: ShipmentFacts,
    status: str = "shipped",
    delivered_days: int | None = None,
    is_open: bool = False,
) -> str:
    return can_report(
        kind,
        status=status,
        shipments=parcels,
        delivered_at=None if delivered_days is None else days_ago(delivered_days),
        already_open=is_open,
        now=NOW,
    ).code


@pytest.mark.parametrize("kind", ["damaged", "wrong_item", "missing_item"])
@pytest.mark.parametrize(("days", "code"), [(0, "ok"), (14, "ok"), (15, "window_over"), (None, "not_delivered")])
def test_what_is_wrong_with_a_parcel_is_told_within_fourteen_days(kind: str, days: int | None, code: str) -> None:
    assert report(kind, parcel("delivered", delivered_days=days), delivered_days=days) == code


def test_of_a_split_order_what_has_arrived_can_be_complained_of() -> None:
    assert report("damaged", parcel("delivered", delivered_days=2), parcel()) == "ok"


@pytest.mark.parametrize(
    ("status", "scan_days", "code"),
    [
        ("in_transit", 9, "too_early"),
        ("in_transit", 10, "ok"),
        ("delayed", 10, "ok"),
        ("lost", 1, "ok"),
        ("pending", None, "not_shipped"),
        ("delivered", 12, "marked_delivered"),
    ],
)
def test_ten_days_of_silence_mean_lost(status: str, scan_days: int | None, code: str) -> None:
    assert report("lost", parcel(status, scan_days=scan_days)) == code


@pytest.mark.parametrize(
    ("estimated", "delivered_days", "code"),
    [
        (date(2026, 11, 21), None, "not_late"),
        (date(2026, 11, 20), None, "ok"),
        (None, None, "not_late"),
        (date(2026, 11, 10), 11, "not_late"),
        (date(2026, 11, 9), 11, "ok"),
        (date(2026, 11, 1), 15, "not_late"),
    ],
)
def test_late_is_past_the_estimated_day(estimated: date | None, delivered_days: int | None, code: str) -> None:
    assert report("late", parcel(estimated=estimated, delivered_days=delivered_days)) == code


def test_a_problem_is_reported_once_and_only_of_what_was_sent() -> None:
    assert report("lost", parcel("lost"), is_open=True) == "already_reported"
    assert report("late") == "not_shipped"
    assert report("lost", parcel("lost"), status="cancelled") == "order_closed"
    assert report("lost", parcel("lost"), status="refunded") == "order_closed"


def test_every_refusal_is_a_plain_sentence() -> None:
    for verdict in (can_cancel("packed"), returning(days=31), refunding("999.00")):
        assert not verdict.ok
        assert verdict.message.endswith(".")
