"""A customer's message: acknowledged once, turned into one queued turn, and where it goes when nobody may answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from support_agent.models import Turn
from support_agent.runtime.submit import request_human, submit_message
from tests.cast import Cast
from tests.runtime.conftest import begin, post
from tickets.access import Visitor
from tickets.errors import Conflict, Empty, TooLong
from tickets.models import Conversation, Escalation, Event, Message
from tickets.services.conversations import conversation_claim, conversation_close, conversation_hand_back


def test_message_event_and_turn_are_one_commit(cast: Cast) -> None:
    conversation = begin(cast.owner)
    submitted = post(conversation, "Where is my order?")
    assert submitted.created
    assert submitted.turn is not None
    assert (submitted.turn.state, submitted.turn.surface) == ("queued", "signed_in")
    event = Event.objects.get(conversation=conversation)
    assert (event.seq, event.message_id, submitted.message.turn_id) == (1, submitted.message.pk, submitted.turn.pk)


def test_the_same_id_and_text_again_changes_nothing(cast: Cast) -> None:
    conversation, message_id = begin(), uuid4()
    first = submit_message(conversation=conversation, visitor=Visitor(), client_message_id=message_id, text="Hello ")
    again = submit_message(conversation=conversation, visitor=Visitor(), client_message_id=message_id, text="Hello")
    assert (again.created, again.message.pk, again.turn) == (False, first.message.pk, first.turn)
    assert Message.objects.count() == Turn.objects.count() == Event.objects.count() == 1


def test_the_same_id_with_another_text_is_refused(cast: Cast) -> None:
    conversation, message_id = begin(), uuid4()
    submit_message(conversation=conversation, visitor=Visitor(), client_message_id=message_id, text="Hello")
    with pytest.raises(Conflict):
        submit_message(conversation=conversation, visitor=Visitor(), client_message_id=message_id, text="Bye")


@pytest.mark.django_db(transaction=True)
def test_the_same_message_fifty_times_at_once_is_one() -> None:
    conversation, message_id = begin(), uuid4()

    def send(_: int) -> bool:
        try:
            return submit_message(
                conversation=conversation, visitor=Visitor(), client_message_id=message_id, text="Once, please"
            ).created
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        created = list(threads.map(send, range(50)))
    assert created.count(True) == 1
    assert (Message.objects.count(), Turn.objects.count(), Event.objects.count()) == (1, 1, 1)


def test_messages_that_arrive_meanwhile_join_the_queued_turn(cast: Cast) -> None:
    conversation = begin()
    first, second = post(conversation, "Hello"), post(conversation, "my parcel is late")
    assert first.turn == second.turn
    assert [event.seq for event in Event.objects.filter(conversation=conversation)] == [1, 2]


@pytest.mark.parametrize(("text", "error"), [("  \x00 ", Empty), ("\u200b \u2060\ufeff", Empty), ("a" * 5001, TooLong)])
def test_what_cannot_be_sent_leaves_nothing(cast: Cast, text: str, error: type[Exception]) -> None:
    conversation = begin()
    with pytest.raises(error):
        post(conversation, text)
    assert not Message.objects.exists()
    assert not Turn.objects.exists()


def test_with_staff_a_message_gets_no_turn(cast: Cast) -> None:
    conversation = begin()
    conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    assert post(conversation, "Are you there?").turn is None
    conversation_hand_back(conversation=conversation, staff=cast.agent)
    assert post(conversation, "And now?").turn is not None


def test_a_closed_conversation_reopens_within_14_days(cast: Cast) -> None:
    conversation = begin()
    conversation_close(conversation=conversation)
    submitted = post(conversation, "One more thing")
    assert (submitted.conversation.pk, submitted.conversation.status) == (conversation.pk, "ai")
    assert submitted.turn is not None


def test_after_14_days_it_goes_on_in_a_linked_one(cast: Cast) -> None:
    conversation = begin(cast.owner)
    conversation_close(conversation=conversation)
    Conversation.objects.filter(pk=conversation.pk).update(closed_at=timezone.now() - timedelta(days=15))
    submitted = post(conversation, "One more thing")
    assert submitted.conversation.continued_from_id == conversation.pk
    assert submitted.conversation.customer == cast.owner
    assert submitted.moved_token
    assert not Message.objects.filter(conversation=conversation).exists()


def test_asking_for_a_person_once_is_enough(cast: Cast) -> None:
    conversation = begin()
    queued = post(conversation, "Hello").turn
    assert queued is not None
    request_human(conversation=conversation)
    request_human(conversation=conversation)
    assert Escalation.objects.get(conversation=conversation).reason == "asked"
    queued.refresh_from_db()
    assert queued.state == "escalated"
    types = list(Event.objects.filter(conversation=conversation).values_list("type", flat=True))
    assert types == ["message", "turn", "message", "status", "promise"]


def test_a_claim_ends_the_turn_before_its_own_event(cast: Cast) -> None:
    conversation = begin()
    post(conversation, "Hello")
    conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    types = list(Event.objects.filter(conversation=conversation).order_by("seq").values_list("type", flat=True))
    assert types == ["message", "turn", "status"]
    with pytest.raises(Conflict):
        conversation_claim(conversation_id=conversation.pk, staff=cast.lead)
