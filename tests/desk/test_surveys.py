"""Asked how it was: once for a conversation, not again for days, and never after a no. A thumb can change its mind."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from tests.cast import Cast
from tests.desk.conftest import Talk
from tickets.models import Conversation, Customer, Event, Feedback, Survey
from tickets.services.conversations import conversation_close, conversation_create, conversation_reopen
from tickets.services.messages import message_assistant
from tickets.services.surveys import feedback_give, survey_answer, survey_dismiss


def closed(customer: Customer | None) -> Conversation:
    identity = "session" if customer else ""
    conversation, _ = conversation_create(channel="chat", customer=customer, identity=identity)
    return conversation_close(conversation=conversation)


def asked(conversation: Conversation) -> list[str]:
    events = Event.objects.filter(conversation=conversation, type="survey").order_by("seq")
    return [event.payload["state"] for event in events]


def test_a_customer_is_left_in_peace_for_days(cast: Cast) -> None:
    first = closed(cast.owner)
    assert asked(first) == ["requested"]
    assert asked(closed(cast.owner)) == []
    assert asked(closed(cast.other)) == ["requested"]
    Survey.objects.filter(conversation=first).update(created_at=timezone.now() - timedelta(days=8))
    assert asked(closed(cast.owner)) == ["requested"]


def test_strangers_are_asked_each_for_themselves(cast: Cast) -> None:
    assert [asked(closed(None)) for _ in range(2)] == [["requested"], ["requested"]]


def test_a_no_is_heard(cast: Cast) -> None:
    conversation = closed(cast.owner)
    for _ in range(2):
        survey_dismiss(conversation=conversation)
    conversation_reopen(conversation=conversation)
    conversation_close(conversation=conversation)
    assert asked(conversation) == ["requested", "dismissed"]


def test_an_answer_stands_against_a_later_no(cast: Cast) -> None:
    conversation = closed(cast.owner)
    survey_answer(conversation=conversation, rating=4)
    assert survey_dismiss(conversation=conversation).state == "answered"


def test_a_thumb_changes_its_mind_and_keeps_no_old_cause(talk: Talk, cast: Cast) -> None:
    answer = message_assistant(conversation=talk.conversation, text="Yes.", turn_id=talk.conversation.pk)
    give = partial(feedback_give, conversation=talk.conversation, message_id=answer.pk)
    give(helpful=False, cause="wrong", reason="It was no.")
    assert (Feedback.objects.get().cause, Feedback.objects.get().reason) == ("wrong", "It was no.")
    give(helpful=True, cause="wrong")
    assert (Feedback.objects.get().helpful, Feedback.objects.get().cause) == (True, "")
    with pytest.raises(ValueError, match="nonsense"):
        give(helpful=False, cause="nonsense")
