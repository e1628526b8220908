"""What was taken over and is left: it goes back to the queue, awake, and whoever is there is only reminded."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.db import transaction

from tests.cast import Cast
from tests.desk.waiting import Clock, again, asks, at_inbox, audited, escalation_of, says, taken_over
from tickets.services import returning
from tickets.services.assignment import availability_set, escalation_assign, escalation_next, route_waiting
from tickets.services.conversations import (
    conversation_claim,
    conversation_create,
    lock,
)
from tickets.services.replies import reply_post
from tickets.services.snooze import conversation_await_customer, conversation_snooze

pytestmark = pytest.mark.django_db


def test_taken_over_and_left_by_one_who_is_gone_it_waits_again(clock: Clock, cast: Cast) -> None:
    conversation = taken_over(clock, cast)
    first = escalation_of(conversation).due_at
    clock.step(1, cast.agent)
    reply_post(conversation_id=conversation.pk, staff=cast.agent, text="Let me look.")
    clock.step(10)
    assert route_waiting() == 0, "it is the customer's turn"
    says(conversation)
    clock.step(4.9)
    assert route_waiting() == 0
    clock.step(0.2, cast.lead)
    assert route_waiting() == 2
    found, escalation = again(conversation), escalation_of(conversation)
    assert (found.status, found.assignee) == ("waiting", None)
    assert (escalation.status, escalation.claimed_by, escalation.assigned_to) == ("waiting", None, cast.lead)
    assert escalation.due_at == clock.now + timedelta(minutes=15), "a second wait has a clock of its own"
    told = found.events.filter(type="status").latest("seq").payload
    assert told == {"status": "waiting", "team": "Billing", "queue_position": 1}
    due = (str(first), str(escalation.due_at))
    assert audited("conversation.left_unanswered") == [
        (None, {"status": ("human", "waiting"), "assignee": ("agent", ""), "due_at": due})
    ]


def test_who_is_there_and_slow_is_reminded_once_and_keeps_it(
    clock: Clock, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(returning, "enqueue", lambda job, *args, queue: job(*args))
    conversation = taken_over(clock, cast)
    reply_post(conversation_id=conversation.pk, staff=cast.agent, text="Let me look.")
    for wait in (1, 2):
        says(conversation)
        clock.step(14.9, cast.agent)
        assert (route_waiting(), len(mail.outbox)) == (0, wait - 1)
        for minutes in (0.2, 20):
            clock.step(minutes, cast.agent)
            assert route_waiting() == 0
            assert again(conversation).assignee == cast.agent
            assert len(mail.outbox) == len(audited("conversation.remind")) == wait, "once a wait"
        reply_post(conversation_id=conversation.pk, staff=cast.agent, text="Here it is.")
    assert mail.outbox[0].to == [cast.agent.email]
    assert "Hello?" not in mail.outbox[0].body


@pytest.mark.parametrize("availability", ["busy", "away"])
def test_who_says_that_they_are_not_there_loses_it_after_five_minutes(
    availability: str, clock: Clock, cast: Cast
) -> None:
    conversation = taken_over(clock, cast)
    due = escalation_of(conversation).due_at
    availability_set(staff=cast.agent, availability=availability)
    clock.step(4.9, cast.agent)
    assert route_waiting() == 0
    clock.step(0.2, cast.agent)
    assert route_waiting() == 1
    escalation = escalation_of(conversation)
    assert (escalation.status, escalation.due_at, escalation.assigned_to) == ("waiting", due, None)


@pytest.mark.parametrize("words", ["Thanks!", "thank you so much 🙏", "Ok, thanks.", "Great, thank you! ❤️"])
def test_thanks_ask_for_no_answer(words: str, clock: Clock, cast: Cast) -> None:
    conversation = taken_over(clock, cast)
    reply_post(conversation_id=conversation.pk, staff=cast.agent, text="It comes tomorrow.")
    says(conversation, words)
    clock.step(60)
    assert route_waiting() == 0
    assert again(conversation).assignee == cast.agent
    says(conversation, "Thanks! But to which address?")
    clock.step(6)
    assert route_waiting() == 1


def test_without_an_owner_who_can_answer_it_waits_again_at_once(clock: Clock, cast: Cast) -> None:
    conversation = taken_over(clock, cast)
    reply_post(conversation_id=conversation.pk, staff=cast.agent, text="Hello.")
    cast.agent.is_active = False
    cast.agent.save()
    assert route_waiting() == 1
    assert again(conversation).status == "waiting"


def test_one_taken_from_the_assistant_and_left_gets_an_escalation(clock: Clock, cast: Cast) -> None:
    conversation, _ = conversation_create(channel="chat", customer=cast.owner, identity="session")
    says(conversation)
    clock.step(60, cast.agent)
    conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    assert route_waiting() == 0, "the wait counts from the take-over"
    says(conversation)
    clock.step(6)
    assert route_waiting() == 1
    assert (again(conversation).status, escalation_of(conversation).reason) == ("waiting", "unsure")


def test_what_waits_for_its_customer_or_is_snoozed_is_left_alone(clock: Clock, cast: Cast) -> None:
    waits, asleep = taken_over(clock, cast), taken_over(clock, cast)
    conversation_await_customer(conversation=waits, staff=cast.agent, on=True)
    conversation_snooze(conversation=asleep, staff=cast.agent, until=clock.now + timedelta(hours=1))
    clock.step(30)
    assert route_waiting() == 0
    says(waits)
    says(asleep)
    assert (again(waits).awaits_customer, again(asleep).snoozed_until) == (False, None)
    clock.step(6)
    assert route_waiting() == 2


@pytest.mark.parametrize("put_off", ["snooze", "await"])
@pytest.mark.parametrize("deed", ["returned", "transferred", "left"])
def test_whoever_gets_it_next_gets_it_awake(deed: str, put_off: str, clock: Clock, cast: Cast) -> None:
    conversation = taken_over(clock, cast)
    if put_off == "snooze":
        conversation_snooze(conversation=conversation, staff=cast.agent, until=clock.now + timedelta(hours=1))
    else:
        conversation_await_customer(conversation=conversation, staff=cast.agent, on=True)
    if deed == "left":
        with transaction.atomic():
            returning.conversation_return(conversation=lock(conversation.pk), why="left_unanswered")
    else:
        to = cast.lead if deed == "transferred" else None
        escalation_assign(escalation_ids=[escalation_of(conversation).pk], to=to, actor=cast.agent)
    found = again(conversation)
    assert (found.snoozed_until, found.awaits_customer) == (None, False)
    at_inbox(cast.lead)
    if deed != "transferred":
        assert route_waiting() == 1, "it is routed"
        assert escalation_next(staff=cast.lead) == conversation, "it is somebody's next"
    action = {"returned": "returned", "transferred": "transfer", "left": "left_unanswered"}[deed]
    changed = audited(f"conversation.{action}")[0][1]
    assert changed.keys() & {"snoozed_until", "awaits_customer"} == {
        "snoozed_until" if put_off == "snooze" else "awaits_customer"
    }


def test_taking_over_what_was_snoozed_wakes_it(clock: Clock, cast: Cast) -> None:
    conversation = asks(cast.owner)
    conversation_snooze(conversation=conversation, staff=cast.agent, until=clock.now + timedelta(hours=1))
    conversation_claim(conversation_id=conversation.pk, staff=cast.lead)
    assert again(conversation).snoozed_until is None
    assert "snoozed_until" in audited("conversation.claim")[0][1]
