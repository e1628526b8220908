"""Passing frames: deltas reach the page, but never after a person has taken over or the text is complete (I10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from tests.cast import Cast
from tests.chat.conftest import Line, begin
from tickets.db import in_db
from tickets.models import Conversation
from tickets.publishing import group_of, send_frames
from tickets.services.conversations import conversation_claim, conversation_hand_back
from tickets.services.messages import message_assistant

Lines = Callable[..., Line]


async def push(conversation: Conversation, **frame: Any) -> None:
    await send_frames([(group_of(conversation.pk), {"type": "conversation.frame", "frame": frame})])


def delta(text: str = "Hel", *, turn_id: str = "", offset: int = 0) -> dict[str, Any]:
    return {
        "type": "delta",
        "turn_id": turn_id or str(uuid4()),
        "message_id": str(uuid4()),
        "offset": offset,
        "text": text,
    }


async def opened(lines: Lines, conversation: Conversation, token: str) -> Line:
    line = lines(conversation.pk, token=token, origin=None)
    await line.open()
    await line.until("ready")
    return line


async def test_activity_deltas_and_retractions_pass(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    line = await opened(lines, conversation, token)
    frames = [
        {"type": "activity", "turn_id": str(uuid4()), "state": "tool", "label": "Looking up order AP-100001"},
        delta(),
        {"type": "retract", "message_id": str(uuid4())},
    ]
    for frame in frames:
        await push(conversation, **frame)
    assert [await line.frame() for _ in frames] == frames


async def test_what_a_runner_given_up_for_dead_still_says_is_not_shown(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    line = await opened(lines, conversation, token)
    late = delta()
    taken_over = delta(turn_id=late["turn_id"])
    for frame in ({"type": "retract", "message_id": late["message_id"]}, late, taken_over):
        await push(conversation, **frame)
    assert (await line.frame())["type"] == "retract"
    assert await line.frame() == taken_over


async def test_after_the_claim_no_delta_passes_until_the_hand_back(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    line = await opened(lines, conversation, token)
    await in_db(conversation_claim, conversation_id=conversation.pk, staff=people.agent)
    assert (await line.frame())["status"] == "human"
    await push(conversation, **delta())
    await push(conversation, type="activity", turn_id=str(uuid4()), state="thinking", label="")
    assert await line.silent()
    await in_db(conversation_hand_back, conversation=conversation, staff=people.agent)
    assert (await line.until("status"))["status"] == "ai"
    await push(conversation, **delta("again"))
    assert (await line.frame())["text"] == "again"


async def test_a_socket_opened_while_a_person_is_there_is_silent_too(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    await in_db(conversation_claim, conversation_id=conversation.pk, staff=people.agent)
    line = await opened(lines, conversation, token)
    await line.until("status")
    await push(conversation, **delta())
    assert await line.silent()


async def test_a_late_delta_of_a_finished_answer_is_dropped(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    line = await opened(lines, conversation, token)
    turn_id = uuid4()
    await in_db(message_assistant, conversation=conversation, text="Hello.", turn_id=turn_id)
    await line.until("message")
    await push(conversation, **delta(turn_id=str(turn_id)))
    assert await line.silent()


async def test_staff_typing_is_shown_and_ones_own_is_not(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    line = await opened(lines, conversation, token)
    await line.send(type="typing")
    assert await line.silent()
    await push(conversation, type="typing", who="Robin")
    assert await line.frame() == {"type": "typing", "who": "Robin"}
