"""Real threads on PostgreSQL: double clicks, refunds and numbers at the same moment lead to one write."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from tests.cast import Cast, make_cast, make_order
from tests.desk.conftest import Talk
from tickets.errors import DeskError
from tickets.models import Action, Order, Refund, Return, Ticket, Verification
from tickets.services.actions import action_approve, action_undo, actions_expire
from tickets.services.conversations import conversation_create
from tickets.services.identity import verification_start
from tickets.services.tickets import ticket_create

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run the calls in threads that start together; each answers its result or its DeskError."""
    results: list[Any] = [None] * len(calls)
    start = threading.Barrier(len(calls))

    def run(place: int) -> None:
        try:
            start.wait(5)
            results[place] = calls[place]()
        except DeskError as error:
            results[place] = error
        except BaseException as error:
            results[place] = error
            raise
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return results


@pytest.fixture
def people() -> Cast:
    return make_cast()


def test_a_double_click_cancels_once(people: Cast) -> None:
    talk = Talk(people.owner)
    action = talk.propose("cancel_order", order_number="AP-100002", reason="test")
    results = at_once(*[lambda: talk.click(action).state] * 6)
    assert results == ["done"] * 6
    assert Refund.objects.count() == 1
    assert talk.states() == ["proposed", "done"]


def test_yes_and_no_at_once_end_one_way(people: Cast) -> None:
    talk = Talk(people.owner)
    action = talk.propose("request_refund", order_number="AP-100001", amount="10.00", reason="test")
    at_once(lambda: talk.click(action), lambda: talk.click(action, approve=False))
    action.refresh_from_db()
    assert Refund.objects.count() == (1 if action.state == "done" else 0)
    assert len(talk.states()) == 2


def test_a_click_and_the_expiry_at_once_end_one_way(people: Cast) -> None:
    talk = Talk(people.owner)
    action = talk.propose("request_refund", order_number="AP-100001", amount="10.00", reason="test")
    Action.objects.filter(pk=action.pk).update(expires_at="2026-01-01T00:00:00Z")
    action.refresh_from_db()
    at_once(lambda: talk.click(action), actions_expire, actions_expire)
    assert not Refund.objects.exists()
    assert talk.states() == ["proposed", "expired"]


def test_refunds_from_many_conversations_stay_within_the_limit(people: Cast) -> None:
    """Six conversations over two orders click 40.00 at the same moment: two pass, whatever the order."""
    talks = [Talk(people.owner) for _ in range(6)]
    orders = ["AP-100001", "AP-100002"] * 3
    actions = [
        talk.propose("request_refund", order_number=number, amount="40.00", reason="test")
        for talk, number in zip(talks, orders, strict=True)
    ]
    results = at_once(
        *[
            lambda talk=talk, action=action: talk.click(action).state
            for talk, action in zip(talks, actions, strict=True)
        ]
    )
    assert Counter(results) == {"done": 2, "awaiting_staff": 4}
    assert sum(order.refunded_total for order in Order.objects.all()) == Decimal("80.00")


def test_two_approvers_at_once_pay_once(people: Cast) -> None:
    talk = Talk(people.owner)
    action = talk.do("request_refund", order_number="AP-100001", amount="150.00", reason="test")
    results = at_once(
        *[
            lambda staff=staff: action_approve(action_id=action.pk, staff=staff, approve=True).state
            for staff in (people.agent, people.lead, people.admin)
        ]
    )
    assert sorted(str(result) for result in results if isinstance(result, str)) == ["done"]
    assert Refund.objects.count() == 1


def test_raw_refunds_at_once_never_pass_what_was_paid(people: Cast) -> None:
    """Past every service: the trigger and the check hold alone."""

    def insert() -> bool:
        try:
            with transaction.atomic():
                Refund.objects.create(order=people.delivered, amount="50.00", reason="raw")
        except Exception:
            return False
        return True

    assert Counter(at_once(*[insert] * 8)) == {True: 3, False: 5}
    assert Order.objects.get(pk=people.delivered.pk).refunded_total == Decimal("150.00")


def test_one_item_is_sent_back_once(people: Cast) -> None:
    talks = [Talk(people.owner) for _ in range(4)]
    actions = [
        talk.propose("request_return", order_number="AP-100001", skus=["TNT-2P-GRN"], reason="test") for talk in talks
    ]
    results = at_once(
        *[
            lambda talk=talk, action=action: talk.click(action).state
            for talk, action in zip(talks, actions, strict=True)
        ]
    )
    assert Counter(results) == {"done": 1, "failed": 3}
    assert Return.objects.count() == 1


def test_two_undos_and_a_click_at_once_leave_one_state(people: Cast) -> None:
    talk = Talk(people.owner)
    action = talk.do("cancel_order", order_number="AP-100002", reason="test")
    undo = lambda: action_undo(conversation=talk.conversation, action_id=action.pk).state  # noqa: E731
    at_once(undo, undo, lambda: talk.click(action).state)
    order = Order.objects.get(pk=people.paid.pk)
    assert (order.status, order.refunded_total) == ("paid", Decimal("0.00"))
    assert talk.states() == ["proposed", "done", "undone"]


def test_the_same_proposal_at_once_is_one(people: Cast) -> None:
    talk = Talk(people.owner)
    by_key = at_once(*[lambda: talk.propose("cancel_order", key="k", order_number="AP-100002", reason="a").pk] * 4)
    by_wish = at_once(*[lambda: talk.propose("cancel_order", order_number="AP-100001", reason="b").pk] * 4)
    assert (len(set(by_key)), len(set(by_wish))) == (1, 1)
    assert Action.objects.count() == 2


def test_tickets_at_once_have_numbers_of_their_own(people: Cast) -> None:
    def create(key: str | None) -> str:
        return ticket_create(subject="Hi", body="Hello", category="product", idempotency_key=key).number

    numbers = at_once(*[lambda: create(None)] * 6)
    assert len(set(numbers)) == 6
    assert len(set(at_once(*[lambda: create("once")] * 6))) == 1
    assert Ticket.objects.count() == 7


def test_codes_asked_for_at_once_leave_one_open(people: Cast) -> None:
    conversation, _ = conversation_create(channel="chat")
    at_once(*[lambda: verification_start(conversation=conversation, email=people.owner.email)] * 4)
    assert Verification.objects.filter(state="requested").count() == 1


def test_many_kinds_of_writes_on_one_order_never_deadlock(people: Cast) -> None:
    """Refund, return, complaint and cancellation of the same orders from conversations of their own."""
    order = make_order(people.owner, "AP-100003", Order.Status.DELIVERED, days_ago=9, delivered_days_ago=2)
    order.shipments.create(
        tracking_number="ALD0000000001", carrier="Cascade Post", status="delivered", delivered_at=order.delivered_at
    )
    wishes: list[tuple[str, dict[str, Any]]] = [
        ("request_refund", {"order_number": "AP-100003", "amount": "10.00", "reason": "test"}),
        ("request_return", {"order_number": "AP-100003", "skus": ["LAN-01-BLK"], "reason": "test"}),
        ("report_delivery_problem", {"order_number": "AP-100003", "kind": "damaged", "wish": "refund"}),
        ("update_customer", {"field": "phone", "value": "+1 503 228 0612"}),
    ]
    talks = [Talk(people.owner) for _ in wishes * 2]
    actions = [talk.propose(tool, **arguments) for talk, (tool, arguments) in zip(talks, wishes * 2, strict=True)]
    results = at_once(
        *[
            lambda talk=talk, action=action: talk.click(action).state
            for talk, action in zip(talks, actions, strict=True)
        ]
    )
    assert Counter(results) == {"done": 5, "failed": 3}  # two small refunds pass, everything else happens once
