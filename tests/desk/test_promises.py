"""Promises: made once for each thing, kept, missed or withdrawn in sight, chased before they are due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.utils import timezone

from support_agent.chat.renderers.items import promise_context
from support_agent.ops.selectors.inbox_filters import with_deadlines
from tests.cast import Cast
from tests.desk.conftest import Talk
from tickets.errors import Conflict, Empty
from tickets.hours import closing_after, moment, open_between, zone
from tickets.models import AuditEntry, Conversation, DeliveryProblem, Event, Promise, Team
from tickets.services import promise_chase
from tickets.services.action_promises import was_kept
from tickets.services.actions import action_approve
from tickets.services.conversations import conversation_claim, conversation_close, conversation_create
from tickets.services.conversations import conversation_hand_back as hand_back
from tickets.services.escalations import escalation_open
from tickets.services.promise_chase import promises_chase
from tickets.services.promises import promise_make, promise_settle
from tickets.services.replies import reply_post

Json = dict[str, Any]


@pytest.fixture
def conversation(cast: Cast) -> Conversation:
    return conversation_create(channel="chat")[0]


def told(conversation: Conversation) -> list[Json]:
    """The promise events a client gets."""
    events = Event.objects.filter(conversation=conversation, type="promise").order_by("seq")
    return [event.payload["promise"] for event in events]


def states(conversation: Conversation) -> list[str]:
    return [promise["state"] for promise in told(conversation)]


def in_hours(hours: float) -> datetime:
    return timezone.now() + timedelta(hours=hours)


def made(conversation: Conversation, text: str = "I'll send you the label", hours: float = 30, **more: Any) -> Promise:
    return promise_make(conversation=conversation, text=text, due_at=in_hours(hours), **more)


def test_waiting_for_a_person_is_a_promise_and_asking_twice_makes_one(conversation: Conversation) -> None:
    escalation = escalation_open(conversation=conversation, reason="asked")
    escalation_open(conversation=conversation, reason="money")
    (promise,) = told(conversation)
    assert promise.keys() >= {"id", "text", "due_at", "state"}
    assert promise["state"] == "open"
    assert datetime.fromisoformat(promise["due_at"]) == escalation.due_at
    assert "person" in promise["text"]


def test_a_persons_answer_keeps_it(cast: Cast, conversation: Conversation) -> None:
    escalation_open(conversation=conversation, reason="asked")
    conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    assert states(conversation) == ["open"], "to be there is not to answer"
    reply_post(conversation_id=conversation.pk, staff=cast.agent, text="Hello")
    reply_post(conversation_id=conversation.pk, staff=cast.agent, text="How can I help?")
    assert states(conversation) == ["open", "kept"]


def test_who_is_handed_back_or_has_left_is_promised_no_answer(cast: Cast, conversation: Conversation) -> None:
    escalation_open(conversation=conversation, reason="asked")
    claimed = conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    hand_back(conversation=claimed, staff=cast.agent)
    escalation_open(conversation=conversation, reason="asked")
    conversation_close(conversation=conversation)
    assert states(conversation) == ["open", "withdrawn", "open", "withdrawn"]


def test_what_staff_promise_outlives_the_conversations_end(cast: Cast, conversation: Conversation) -> None:
    made(conversation, made_by=cast.agent)
    conversation_close(conversation=conversation)
    assert states(conversation) == ["open"]


def test_the_same_thing_is_promised_once(cast: Cast, conversation: Conversation) -> None:
    first = made(conversation, "I'll send you the label.", made_by=cast.agent)
    assert made(conversation, "I'll send you   the LABEL") == first
    assert made(conversation, "I'll send you the invoice") != first
    assert made(conversation, hours=80) != first, "another day is another promise"
    assert made(conversation, "A decision", about="action:1") == made(conversation, "Other words", about="action:1")
    assert AuditEntry.objects.filter(action="promise.make").count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        Promise.objects.create(conversation=conversation, text="again", due_at=in_hours(1), about="action:1")


def test_what_cannot_be_promised(conversation: Conversation) -> None:
    with pytest.raises(Conflict):
        made(conversation, hours=-1)
    with pytest.raises(Empty):
        made(conversation, " \x00 ")
    assert told(conversation) == []


def test_staff_settle_it_and_the_audit_says_so(cast: Cast, conversation: Conversation) -> None:
    promise = made(conversation, made_by=cast.agent)
    promise_settle(promise=promise, state="kept", actor=cast.lead)
    promise_settle(promise=promise, state="kept", actor=cast.lead)
    assert states(conversation) == ["open", "kept"]
    entry = AuditEntry.objects.get(action="promise.settle")
    assert (entry.actor, entry.fields) == (cast.lead, ["state"])
    value = entry.values.get()
    assert (value.before, value.after) == ("open", "kept")
    with pytest.raises(Conflict):
        promise_settle(promise=promise, state="withdrawn", actor=cast.lead)


def test_a_missed_one_can_still_be_done_late(cast: Cast, conversation: Conversation) -> None:
    promise = made(conversation)
    promise_settle(promise=promise, state="missed")
    promise_settle(promise=promise, state="kept", actor=cast.lead)
    assert states(conversation) == ["open", "missed", "kept"]
    assert datetime.fromisoformat(told(conversation)[-1]["settled_at"]) <= timezone.now()


@pytest.fixture
def later(
    monkeypatch: pytest.MonkeyPatch, jobs_at_once: None, django_capture_on_commit_callbacks: Any
) -> Callable[[float], int]:
    """Chase as if so many hours had passed."""
    began = timezone.now()

    def chase(hours: float) -> int:
        monkeypatch.setattr(promise_chase, "timezone", SimpleNamespace(now=lambda: began + timedelta(hours=hours)))
        with django_capture_on_commit_callbacks(execute=True):
            return promises_chase()

    return chase


def test_its_keeper_is_reminded_once_and_told_when_it_was_missed(
    cast: Cast, conversation: Conversation, later: Callable[[float], int]
) -> None:
    conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    made(conversation, "I'll call you about Olivia's order", hours=30, made_by=cast.lead)
    assert later(20) == 0
    assert (later(29), later(29.5)) == (1, 0)
    (reminder,) = mail.outbox
    assert reminder.to == [cast.agent.email]
    assert "nearly due" in reminder.subject
    assert "Olivia" not in str(reminder.body), "a customer's affairs stay out of the mail"
    assert (later(31), later(32)) == (1, 0)
    assert states(conversation) == ["open", "missed"]
    assert "missed" in mail.outbox[-1].subject


def test_a_promise_of_the_assistants_is_its_teams(
    cast: Cast, conversation: Conversation, later: Callable[[float], int]
) -> None:
    Team.objects.update_or_create(slug="support", defaults={"name": "Support", "email": "support@alderandpine.example"})
    made(conversation, hours=1)
    later(0.8)
    assert mail.outbox[-1].to == ["support@alderandpine.example"]


def test_kept_in_time_is_neither_chased_nor_missed(conversation: Conversation, later: Callable[[float], int]) -> None:
    promise_settle(promise=made(conversation, hours=1), state="kept")
    assert later(2) == 0
    assert states(conversation) == ["open", "kept"]


def test_a_late_reply_is_said_to_be_late(conversation: Conversation, later: Callable[[float], int]) -> None:
    escalation_open(conversation=conversation, reason="asked")
    assert later(24 * 5) == 1
    assert states(conversation) == ["open", "missed"]
    assert mail.outbox == [], "its people are told of the escalation, once"


def test_a_decision_of_staff_is_one_promise(cast: Cast, talk: Talk) -> None:
    action = talk.do("request_refund", order_number="AP-100001", amount="120.00", reason="dented")
    (promise,) = told(talk.conversation)
    assert (promise["state"], promise["kind"]) == ("open", "other"), "not a second card that a person answers"
    assert action.summary in promise["text"]
    action_approve(action_id=action.pk, staff=cast.agent, approve=False)
    assert states(talk.conversation) == ["open", "kept"], "a no is a decision too"


@pytest.mark.parametrize(
    ("how", "end"), [("reply", "kept"), ("hand back", "withdrawn"), ("close", "withdrawn"), ("leave", "withdrawn")]
)
def test_what_comes_late_settles_what_was_missed(
    cast: Cast, conversation: Conversation, later: Callable[[float], int], how: str, end: str
) -> None:
    escalation_open(conversation=conversation, reason="asked")
    later(24 * 5)
    Promise.objects.update(due_at=in_hours(-1))
    if how == "leave":
        conversation_close(conversation=conversation)
    else:
        claimed = conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    if how == "reply":
        reply_post(conversation_id=conversation.pk, staff=cast.agent, text="Sorry that it took so long")
    elif how == "hand back":
        hand_back(conversation=claimed, staff=cast.agent)
    elif how == "close":
        conversation_close(conversation=conversation, actor=cast.agent)
    assert states(conversation) == ["open", "missed", end]
    assert promise_context(told(conversation)[-1])["was_late"] is (how == "reply")


@pytest.mark.parametrize("approve", [True, False])
def test_a_late_decision_is_no_longer_owed(
    cast: Cast, talk: Talk, later: Callable[[float], int], approve: bool
) -> None:
    action = talk.do("request_refund", order_number="AP-100001", amount="120.00", reason="dented")
    later(24 * 5)
    inbox = with_deadlines(timezone.now())
    assert vars(inbox.get(pk=talk.conversation.pk))["promised_at"] is not None
    action_approve(action_id=action.pk, staff=cast.agent, approve=approve)
    assert states(talk.conversation) == ["open", "missed", "kept"]
    assert vars(inbox.get(pk=talk.conversation.pk))["promised_at"] is None


def test_two_jobs_at_once_tell_of_a_missed_promise_once(
    cast: Cast, conversation: Conversation, later: Callable[[float], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    made(conversation, hours=1, made_by=cast.agent)
    done: list[int] = []

    def slowly(promise: Promise) -> bool:
        """The other job comes by while this one looks."""
        monkeypatch.setattr(promise_chase, "was_kept", was_kept)
        done.append(promises_chase())
        return was_kept(promise)

    monkeypatch.setattr(promise_chase, "was_kept", slowly)
    done.append(later(2))
    assert done == [1, 0]
    assert len(mail.outbox) == 1
    assert states(conversation) == ["open", "missed"]


@pytest.mark.parametrize("put_off", ["snoozed", "awaits the customer", "no longer"])
def test_of_a_reply_that_was_put_off_its_people_are_told_all_the_same(
    cast: Cast, conversation: Conversation, later: Callable[[float], int], put_off: str
) -> None:
    Team.objects.update_or_create(slug="support", defaults={"name": "Support", "email": "support@alderandpine.example"})
    escalation_open(conversation=conversation, reason="asked")
    until = in_hours(24 * (30 if put_off == "snoozed" else 1))
    Conversation.objects.update(snoozed_until=until, awaits_customer=put_off == "awaits the customer")
    assert later(24 * 5) == 1
    assert len(mail.outbox) == (put_off != "no longer"), "awake, they are told of the escalation, once"


@pytest.mark.parametrize("is_closed", [True, False])
def test_a_reported_problem_that_was_closed_is_kept(
    cast: Cast, talk: Talk, later: Callable[[float], int], is_closed: bool
) -> None:
    cast.delivered.shipments.create(
        tracking_number="ALD0000000001", status="delivered", delivered_at=cast.delivered.delivered_at
    )
    arguments = {"order_number": "AP-100001", "kind": "damaged", "wish": "replacement"}
    assert talk.do("report_delivery_problem", **arguments).state == "done"
    assert "replacement for order AP-100001" in told(talk.conversation)[0]["text"]
    DeliveryProblem.objects.update(is_open=not is_closed)
    later(24 * 5)
    assert states(talk.conversation)[-1] == ("kept" if is_closed else "missed")


def test_times_are_the_shops_own() -> None:
    friday = datetime(2026, 11, 20, 17, 0, tzinfo=zone())
    assert f"{closing_after(friday):%a %H}" == "Fri 18"
    assert f"{closing_after(friday + timedelta(hours=2)):%a %H}" == "Mon 18"
    assert f"{closing_after(friday, 1):%a %H}" == "Mon 18"
    assert f"{closing_after(friday, 7):%a %d}" == "Tue 01"
    assert open_between(friday, friday + timedelta(days=3)) == timedelta(hours=10)
    assert open_between(friday + timedelta(hours=2), friday + timedelta(hours=20)) == timedelta()
    assert moment(friday) == "Friday 17:00 (Pacific time)"
