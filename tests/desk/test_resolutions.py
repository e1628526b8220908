"""How conversations come out: confirmed and assumed apart, taken back by a word within 72 hours, one standing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from tests.cast import Cast
from tests.desk.waiting import Clock, says
from tickets.models import Conversation, Message, Resolution
from tickets.services.conversations import (
    conversation_claim,
    conversation_close,
    conversation_create,
    conversation_hand_back,
)
from tickets.services.escalations import escalation_open
from tickets.services.messages import message_assistant
from tickets.services.replies import reply_post
from tickets.services.resolutions import resolutions_assume
from tickets.services.surveys import feedback_give, survey_answer

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def talk(clock: Clock, cast: Cast) -> Conversation:
    """Asked and answered by the assistant."""
    conversation, _ = conversation_create(channel="chat", customer=cast.owner, identity="session")
    says(conversation)
    answers(conversation)
    return conversation


def answers(conversation: Conversation) -> Message:
    return message_assistant(conversation=conversation, text="It is on its way.", turn_id=uuid4())


def again(conversation: Conversation) -> Conversation:
    return Conversation.objects.get(pk=conversation.pk)


def standing() -> list[tuple[str, str | None]]:
    found = Resolution.objects.filter(revoked_at=None).select_related("staff")
    return [(one.kind, one.staff.username if one.staff else None) for one in found]


def thumb(conversation: Conversation, helpful: bool) -> None:
    last = conversation.messages.exclude(role="system").latest("seq")
    feedback_give(conversation=conversation, message_id=last.pk, helpful=helpful)


CONFIRMS: list[Callable[[Conversation], object]] = [
    lambda talk: survey_answer(conversation=talk, rating=4),
    lambda talk: thumb(talk, True),
    lambda talk: conversation_close(conversation=talk),
]


@pytest.mark.parametrize("deed", CONFIRMS, ids=["survey", "thumb", "close"])
def test_the_customer_confirms(deed: Callable[[Conversation], object], talk: Conversation) -> None:
    deed(talk)
    deed(talk)
    assert standing() == [("confirmed", None)]
    assert Resolution.objects.count() == 1


def test_a_day_without_a_word_is_assumed_once(clock: Clock, talk: Conversation) -> None:
    clock.step(24 * 60 - 1)
    assert resolutions_assume() == 0
    clock.step(2)
    assert (resolutions_assume(), resolutions_assume()) == (1, 0)
    assert standing() == [("assumed", None)]
    assert Resolution.objects.get().at == again(talk).last_message_at + timedelta(days=1)
    survey_answer(conversation=talk, rating=5)
    assert standing() == [("confirmed", None)], "what was assumed is confirmed, not counted twice"
    assert Resolution.objects.count() == 1


def test_staff_close_and_their_name_is_with_it(talk: Conversation, cast: Cast) -> None:
    escalation_open(conversation=talk, reason="asked")
    conversation_claim(conversation_id=talk.pk, staff=cast.agent)
    reply_post(conversation_id=talk.pk, staff=cast.agent, text="Done.")
    conversation_close(conversation=talk, actor=cast.agent)
    assert standing() == [("assumed", "agent")]


def test_handed_back_it_still_took_a_person(clock: Clock, talk: Conversation, cast: Cast) -> None:
    conversation_claim(conversation_id=talk.pk, staff=cast.lead)
    reply_post(conversation_id=talk.pk, staff=cast.lead, text="Ask the assistant for the rest.")
    conversation_hand_back(conversation=talk, staff=cast.lead)
    says(talk)
    answers(talk)
    clock.step(25 * 60)
    resolutions_assume()
    assert standing() == [("assumed", "lead")]


def test_a_word_within_72_hours_takes_it_back_and_later_ones_do_not(clock: Clock, talk: Conversation) -> None:
    conversation_close(conversation=talk)
    clock.step(71 * 60)
    says(talk, "It broke again")
    assert standing() == []
    answers(talk)
    clock.step(25 * 60)
    assert resolutions_assume() == 1
    clock.step(73 * 60)
    says(talk, "Something else")
    assert standing() == [("assumed", None)]
    assert Resolution.objects.filter(revoked_at__isnull=False).count() == 1


def test_who_needs_a_person_after_all_was_not_helped(talk: Conversation) -> None:
    thumb(talk, True)
    escalation_open(conversation=talk, reason="asked")
    assert standing() == []


@pytest.mark.parametrize("rating", [1, 2])
def test_an_unhappy_survey_takes_it_back_and_nothing_is_assumed_after_it(
    rating: int, clock: Clock, talk: Conversation
) -> None:
    conversation_close(conversation=talk)
    survey_answer(conversation=talk, rating=rating)
    clock.step(48 * 60)
    assert resolutions_assume() == 0
    assert standing() == []


def test_a_thumb_down_for_the_last_answer_says_no(clock: Clock, talk: Conversation) -> None:
    thumb(talk, False)
    conversation_close(conversation=talk)
    clock.step(48 * 60)
    assert resolutions_assume() == 0
    assert standing() == []


def test_a_thumb_for_an_earlier_answer_says_nothing(talk: Conversation) -> None:
    first = talk.messages.get(role="assistant")
    says(talk)
    feedback_give(conversation=talk, message_id=first.pk, helpful=True)
    assert standing() == []


def test_unanswered_nothing_is_resolved(clock: Clock, cast: Cast) -> None:
    conversation, _ = conversation_create(channel="chat", customer=cast.owner, identity="session")
    says(conversation)
    conversation_close(conversation=conversation)
    survey_answer(conversation=conversation, rating=5)
    clock.step(48 * 60)
    assert resolutions_assume() == 0
    assert standing() == []


def test_who_gave_up_waiting_is_not_assumed_helped(clock: Clock, talk: Conversation) -> None:
    escalation_open(conversation=talk, reason="asked")
    clock.step(48 * 60)
    assert resolutions_assume() == 0, "they wait"
    conversation_close(conversation=talk)
    clock.step(48 * 60)
    assert resolutions_assume() == 0
    assert standing() == []


@pytest.mark.parametrize("apart", [timedelta(), timedelta(milliseconds=40)], ids=["now", "an older row"])
def test_who_gave_up_waiting_is_not_assumed_helped_on_a_clock_that_goes_on(apart: timedelta, cast: Cast) -> None:
    conversation, _ = conversation_create(channel="chat", customer=cast.owner, identity="session")
    says(conversation)
    answers(conversation)
    escalation_open(conversation=conversation, reason="asked")
    conversation_close(conversation=conversation)
    Conversation.objects.filter(pk=conversation.pk).update(closed_at=again(conversation).closed_at + apart)  # type: ignore[operator]
    assert resolutions_assume(timezone.now() + timedelta(hours=48)) == 0


def test_a_background_task_has_no_resolution(clock: Clock) -> None:
    conversation, _ = conversation_create(channel="task")
    answers(conversation)
    clock.step(48 * 60)
    assert resolutions_assume() == 0
