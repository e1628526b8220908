"""Messages over HTTP: written down once, answered by a turn, silent while a person has the conversation."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from support_agent.models import Turn
from tests.api.conftest import Caller
from tests.cast import Cast
from tickets.models import Conversation, Message
from tickets.services.conversations import conversation_claim, conversation_close


def test_a_message_gets_a_turn(caller: Caller) -> None:
    answer = caller.say("Where is my order?")
    assert answer.status == 202
    message, turn = answer.json["message"], answer.json["turn"]
    assert (message["role"], message["text"], message["turn_id"]) == ("customer", "Where is my order?", turn["id"])
    assert turn["state"] == "queued"
    assert Turn.objects.get(pk=turn["id"]).surface == "anonymous"


def test_messages_join_the_waiting_turn(caller: Caller) -> None:
    first, second = caller.say("Hello"), caller.say("Where is my order?")
    assert first.json["turn"]["id"] == second.json["turn"]["id"]
    assert Turn.objects.count() == 1


def test_the_same_again_changes_nothing(caller: Caller) -> None:
    key = str(uuid4())
    first = caller.say("Hello", client_message_id=key)
    again = caller.say("Hello", client_message_id=key)
    assert (first.status, again.status) == (202, 200)
    assert first.json == again.json
    assert Message.objects.count() == 1


def test_the_same_id_with_another_text(caller: Caller) -> None:
    key = str(uuid4())
    caller.say("Hello", client_message_id=key)
    assert caller.say("Goodbye", client_message_id=key).refusal == (409, "conflict")


def test_no_turn_while_a_person_has_it(caller: Caller, cast: Cast) -> None:
    conversation_claim(conversation_id=caller.conversation.pk, staff=cast.agent)
    answer = caller.say("Are you there?")
    assert (answer.status, answer.json["turn"]) == (202, None)
    assert "turn_id" not in answer.json["message"]


@pytest.mark.parametrize(("text", "code"), [("", "empty"), ("  \n", "empty"), ("x" * 5001, "too_long")])
def test_texts_that_are_refused(caller: Caller, text: str, code: str) -> None:
    assert caller.say(text).refusal == (422, code)


def test_a_message_reopens_what_was_closed_lately(caller: Caller) -> None:
    conversation_close(conversation=caller.conversation)
    assert caller.say("One more thing").status == 202
    assert caller.conversation.status == "ai"


def test_after_two_weeks_it_goes_on_in_a_new_one(caller: Caller) -> None:
    conversation_close(conversation=caller.conversation)
    Conversation.objects.filter(pk=caller.id).update(closed_at=timezone.now() - timedelta(days=15))
    key = str(uuid4())
    answer = caller.say("One more thing", client_message_id=key)
    moved = answer.json["moved"]
    assert answer.status == 202
    assert moved["conversation_id"] != caller.id
    assert moved["ws_url"].endswith(f"/ws/chat/{moved['conversation_id']}/")
    again = caller.say("One more thing", client_message_id=key)  # the first answer was lost, say
    assert (again.status, again.json["moved"]) == (200, moved)
    assert caller.say("And another").json["moved"] == moved
    assert Message.objects.filter(role="customer").count() == 2
    follower = Caller()
    follower.token = moved["token"]
    texts = [event["message"]["text"] for event in follower.events(at=moved["conversation_id"])]
    assert texts == ["One more thing", "And another"]
