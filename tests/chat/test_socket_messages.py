"""Messages: acknowledged once committed, kept exactly once, refused in plain words (I1)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from support_agent.models import Turn
from tests.cast import Cast
from tests.chat.conftest import Line, begin, browser_session, said
from tickets.db import in_db
from tickets.models import Conversation, Message
from tickets.services.conversations import conversation_claim, conversation_close

NOBODYS = "0199a0b0-0000-7000-8000-000000000000"  # the same in every worker of a parallel run
Lines = Callable[..., Line]


async def opened(lines: Lines, conversation: Conversation, token: str) -> Line:
    line = lines(conversation.pk, token=token, origin=None)
    await line.open()
    await line.until("ready")
    return line


async def both(line: Line) -> dict[str, Any]:
    """The acknowledgement and the event of one message, in whichever order they come."""
    return {frame["type"]: frame for frame in [await line.frame(), await line.frame()]}


async def test_the_acknowledgement_names_a_committed_message(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    line = await opened(lines, conversation, token)
    sent = said("Where is my parcel?")
    await line.send(**sent)
    frames = await both(line)
    message = await in_db(Message.objects.get, conversation=conversation)
    assert frames["ack"] == {
        "type": "ack",
        "client_message_id": str(sent["client_message_id"]),
        "message_id": str(message.pk),
        "seq": 1,
    }
    shown = frames["message"]["message"]
    assert (shown["role"], shown["text"]) == ("customer", "Where is my parcel?")
    assert shown["client_message_id"] == str(sent["client_message_id"])
    assert await in_db(Turn.objects.filter(conversation=conversation, state="queued").count) == 1


async def test_the_same_message_twice_is_one_message_and_two_acknowledgements(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    line = await opened(lines, conversation, token)
    sent = said()
    await line.send(**sent)
    first = (await both(line))["ack"]
    await line.send(**sent)
    assert await line.frame() == first
    assert await in_db(Message.objects.filter(conversation=conversation).count) == 1


async def test_the_same_id_with_another_text_is_a_conflict(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    line = await opened(lines, conversation, token)
    sent = said("one")
    await line.send(**sent)
    await both(line)
    await line.send(**{**sent, "text": "two"})
    error = await line.frame()
    assert (error["type"], error["code"]) == ("error", "conflict")
    assert error["client_message_id"] == str(sent["client_message_id"])


@pytest.mark.parametrize(("text", "code"), [("  \n ", "empty"), ("x" * 5001, "too_long")])
async def test_texts_that_cannot_be_sent(people: Cast, lines: Lines, text: str, code: str) -> None:
    conversation, token = await begin()
    line = await opened(lines, conversation, token)
    await line.send(**said(text))
    error = await line.frame()
    assert (error["type"], error["code"]) == ("error", code)
    await line.send(type="ping")
    assert await line.frame() == {"type": "pong", "last_seq": 0}


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("no json", "bad_frame"),
        ("[1]", "bad_frame"),
        ("[" * 5000, "bad_frame"),
        (json.dumps({"text": "no type"}), "bad_frame"),
        (json.dumps({"type": 7}), "bad_frame"),
        (json.dumps({"type": "dance"}), "unknown_type"),
        (json.dumps({"type": "message", "text": "no id"}), "bad_frame"),
        (json.dumps({"type": "message", "client_message_id": "no uuid", "text": "x"}), "bad_frame"),
        (json.dumps({"type": "survey", "rating": 6}), "bad_frame"),
        (json.dumps({"type": "survey", "rating": "5"}), "bad_frame"),
        (json.dumps({"type": "contact", "email": "nobody"}), "bad_frame"),
        (json.dumps({"type": "confirm", "action_id": NOBODYS, "token": "", "approve": True}), "not_found"),
        (json.dumps({"type": "undo", "action_id": NOBODYS}), "not_found"),
        (json.dumps({"type": "feedback", "message_id": NOBODYS, "helpful": True}), "not_found"),
        (json.dumps({"type": "verify", "code": "123456"}), "expired"),
    ],
)
async def test_what_cannot_be_done_is_said_and_the_socket_stays(
    people: Cast, lines: Lines, raw: str, code: str
) -> None:
    conversation, token = await begin()
    line = await opened(lines, conversation, token)
    await line.raw(raw)
    error = await line.frame()
    assert (error["type"], error["code"]) == ("error", code)
    assert error["message"].endswith(".")
    await line.send(type="ping")
    assert (await line.frame())["type"] == "pong"


async def test_with_a_person_there_a_message_gets_no_turn(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    await in_db(conversation_claim, conversation_id=conversation.pk, staff=people.agent)
    line = await opened(lines, conversation, token)
    await line.until("status")
    await line.send(**said())
    await both(line)
    assert await in_db(Turn.objects.filter(conversation=conversation).count) == 0


async def test_a_message_to_a_conversation_closed_long_ago_goes_on_in_a_new_one(people: Cast, lines: Lines) -> None:
    conversation, _ = await begin()
    cookie = await browser_session(None, conversation)
    await in_db(conversation_close, conversation=conversation)
    long_ago = timezone.now() - timedelta(days=15)
    await in_db(Conversation.objects.filter(pk=conversation.pk).update, closed_at=long_ago)
    line = lines(conversation.pk, cookie=cookie)
    await line.open()
    await line.until("survey")
    await line.send(**said("One more thing"))
    moved = await line.until("moved")
    successor = await in_db(Conversation.objects.get, continued_from=conversation)
    assert moved["conversation_id"] == str(successor.pk)
    for options in ({"token": moved["token"], "origin": None}, {"cookie": cookie}):
        there = lines(successor.pk, **options)
        await there.open()
        assert (await there.until("message"))["message"]["text"] == "One more thing"
