"""Deadlines: reminded once when near, told once when late, the leads once an hour when nobody is there."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.core import mail

from support_agent.runtime.alert_checks import people
from support_agent.runtime.jobs import chase
from tests.cast import Cast
from tests.desk.waiting import WEDNESDAY, Clock, asks, at_inbox, escalation_of
from tickets import hours, jobs
from tickets.models import Conversation, Team
from tickets.services import chasing
from tickets.services.assignment import escalation_assign
from tickets.services.chasing import empty_desk_chase
from tickets.services.conversations import conversation_claim
from tickets.services.replies import reply_post
from tickets.services.snooze import conversation_snooze

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The desk's clock; jobs of the mail queue run at once."""

    def at_once(job: object, *args: str, queue: str = "default") -> None:
        if queue == "mail" and job is jobs.remind_of_escalations:
            jobs.remind_of_escalations(*args)

    monkeypatch.setattr(chasing, "enqueue", at_once)
    return Clock(monkeypatch)


def reminded() -> list[tuple[str, str]]:
    """(who, subject) of the reminders since the last look."""
    found = [(letter.to[0].partition("@")[0], str(letter.subject)) for letter in mail.outbox]
    mail.outbox.clear()
    return found


def subjects(conversation: Conversation, what: str) -> str:
    return f"{conversation.reference}: the first reply is {what}"


def test_whoever_has_it_is_reminded_once_when_a_fifth_is_left(clock: Clock, cast: Cast) -> None:
    at_inbox(cast.agent)
    conversation = asks(cast.owner)
    clock.step(11.9)
    chase()
    assert reminded() == []
    clock.step(0.2)
    chase()
    chase()
    assert reminded() == [("agent", subjects(conversation, "nearly due"))]
    assert escalation_of(conversation).chased_at == clock.now


def test_where_nobody_has_it_the_team_and_the_leads_hear_of_it(clock: Clock, cast: Cast) -> None:
    conversation = asks(cast.owner)
    clock.step(13, cast.agent)
    chase()
    assert reminded() == [
        ("agent", subjects(conversation, "nearly due")),
        ("lead", subjects(conversation, "nearly due")),
    ]


def test_late_it_is_told_once_to_leads_and_ops(clock: Clock, cast: Cast) -> None:
    conversation, taken = asks(cast.owner), asks(cast.other)
    conversation_claim(conversation_id=taken.pk, staff=cast.agent)
    clock.step(15.1, cast.agent)
    chase()
    chase()
    told = reminded()
    assert [who for who, _ in told] == ["lead"]
    assert "and 1 more: the first reply is late" in told[0][1]
    assert escalation_of(conversation).breached_at == escalation_of(taken).breached_at == clock.now
    assert ("sla", "late") in {(found.kind, found.subject) for found in people(clock.now)}, "ops hear of the same"


def test_a_second_wait_is_chased_and_late_anew(clock: Clock, cast: Cast) -> None:
    conversation = asks(cast.owner)
    conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    clock.step(16, cast.agent)
    chase()
    reply_post(conversation_id=conversation.pk, staff=cast.agent, text="Sorry, here I am.")
    assert [who for who, _ in reminded()] == ["lead"]
    escalation_assign(escalation_ids=[escalation_of(conversation).pk], to=None, actor=cast.agent)
    due = escalation_of(conversation).due_at
    assert due == clock.now + timedelta(minutes=15)
    chase()
    assert reminded() == []
    clock.step(12.1)
    chase()
    chase()
    assert {what for _, what in reminded()} == {subjects(conversation, "nearly due")}
    clock.step(3)
    chase()
    chase()
    assert reminded() == [("lead", subjects(conversation, "late"))]
    assert escalation_of(conversation).breached_at == clock.now


def test_a_mail_names_no_words_of_the_customer(clock: Clock, cast: Cast) -> None:
    asks(cast.owner)
    clock.step(16)
    chase()
    body = mail.outbox[0].body
    assert "Wants a person." not in body
    assert "tent" not in body
    assert cast.owner.name not in body


def test_what_was_answered_in_time_is_left_in_peace(clock: Clock, cast: Cast) -> None:
    conversation = asks(cast.owner)
    conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    reply_post(conversation_id=conversation.pk, staff=cast.agent, text="Here.")
    clock.step(60, cast.agent)
    chase()
    assert reminded() == []


def test_what_is_snoozed_is_not_chased(clock: Clock, cast: Cast) -> None:
    conversation = asks(cast.owner)
    conversation_snooze(conversation=conversation, staff=cast.agent, until=clock.now + timedelta(hours=2))
    clock.step(30)
    chase()
    assert reminded() == []
    assert escalation_of(conversation).breached_at is None


def closing(day: datetime) -> datetime:
    return hours.next_opening(day) + timedelta(hours=10)


def test_nobody_is_reminded_at_night_of_what_is_due_in_the_morning(clock: Clock, cast: Cast) -> None:
    clock.now = closing(WEDNESDAY) - timedelta(minutes=14)  # one minute of its time is left for the morning
    conversation = asks(cast.owner)
    clock.step(60)
    chase()
    assert reminded() == []
    assert escalation_of(conversation).due_at == hours.next_opening(clock.now) + timedelta(minutes=1)
    clock.now = hours.next_opening(clock.now)
    chase()
    assert {what for _, what in reminded()} == {subjects(conversation, "nearly due")}


def test_with_nobody_at_the_desk_the_leads_hear_of_it_once_an_hour(clock: Clock, cast: Cast) -> None:
    asks(cast.owner)
    assert empty_desk_chase() == 1
    assert [who for who, _ in reminded()] == ["lead"]
    clock.step(59)
    assert empty_desk_chase() == 0
    clock.step(2)
    assert empty_desk_chase() == 1
    clock.step(61, cast.lead)
    assert empty_desk_chase() == 0, "somebody is there"


def test_outside_hours_an_empty_desk_is_no_alarm(clock: Clock, cast: Cast) -> None:
    clock.now = hours.next_opening(WEDNESDAY) - timedelta(hours=3)
    asks(cast.owner)
    assert empty_desk_chase() == 0
    assert reminded() == []


def test_an_escalation_is_announced_to_somebody_whatever_is_missing(clock: Clock, cast: Cast) -> None:
    general = Team.objects.create(slug="support", name="Support", email="support@alderandpine.example")
    conversation = asks(cast.owner)
    jobs.announce_escalation(str(escalation_of(conversation).pk))
    general.email = ""
    general.save()
    other = asks(cast.other)
    jobs.announce_escalation(str(escalation_of(other).pk))
    assert [who for who, _ in reminded()] == ["support", "lead"]
