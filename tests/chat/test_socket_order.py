"""A socket is one cursor: replay, pushes, gaps and lost pushes all give the database's events, in order, once (I5)."""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

from support_agent.chat import cursors
from tests.cast import Cast
from tests.chat.conftest import Line, begin
from tickets.db import in_db
from tickets.models import Conversation
from tickets.publishing import group_of, send_frames
from tickets.services.messages import message_system

Lines = Callable[..., Line]


async def write(conversation: Conversation, *texts: str) -> None:
    for text in texts:
        await in_db(message_system, conversation=conversation, text=text)


async def seqs(line: Line, count: int) -> list[int]:
    return [(await line.frame())["seq"] for _ in range(count)]


async def test_ready_comes_first_then_the_replay_in_order(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    await write(conversation, "one", "two", "three")
    line = lines(conversation.pk, token=token, origin=None)
    assert await line.open()
    ready = await line.frame()
    assert ready == {
        "type": "ready",
        "conversation": {"id": str(conversation.pk), "reference": conversation.reference, "status": "ai"},
        "last_seq": 3,
    }
    assert await seqs(line, 3) == [1, 2, 3]


async def test_after_skips_what_the_client_has(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    await write(conversation, *map(str, range(5)))
    line = lines(conversation.pk, token=token, origin=None, after=3)
    await line.open()
    await line.until("ready")
    assert await seqs(line, 2) == [4, 5]


async def test_a_cursor_past_the_end_waits_for_the_next_event(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    line = lines(conversation.pk, token=token, origin=None, after=99)
    await line.open()
    await line.until("ready")
    await write(conversation, "first")
    assert await seqs(line, 1) == [1]


async def test_more_than_a_page_is_replayed_whole(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    await in_db(lambda: [message_system(conversation=conversation, text=str(n)) for n in range(205)])
    line = lines(conversation.pk, token=token, origin=None)
    await line.open()
    await line.until("ready")
    assert await seqs(line, 205) == list(range(1, 206))


async def test_pushed_events_arrive_at_once(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    line = lines(conversation.pk, token=token, origin=None)
    await line.open()
    await line.until("ready")
    await write(conversation, "one", "two")
    assert await seqs(line, 2) == [1, 2]
    assert await line.silent()


async def test_a_hole_in_the_pushes_is_filled_from_the_database(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    line = lines(conversation.pk, token=token, origin=None)
    await line.open()
    await line.until("ready")
    await unannounced(conversation, "lost", "lost too")
    await write(conversation, "third")
    assert await seqs(line, 3) == [1, 2, 3]
    assert await line.silent()


async def test_even_the_last_event_is_found_when_its_push_was_lost(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    line = lines(conversation.pk, token=token, origin=None)
    await line.open()
    await line.until("ready")
    await unannounced(conversation, "lost")
    assert await line.silent()
    await cursors.watch().check()
    assert await seqs(line, 1) == [1]


async def test_an_old_push_changes_nothing(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    await write(conversation, "one")
    line = lines(conversation.pk, token=token, origin=None)
    await line.open()
    await line.until("message")
    again = {"type": "conversation.event", "event": {"seq": 1, "type": "message"}}
    await send_frames([(group_of(conversation.pk), again)])
    assert await line.silent()


async def unannounced(conversation: Conversation, *texts: str) -> None:
    """Write events whose pushes never arrive."""

    def write_silently() -> None:
        for text in texts:
            message_system(conversation=conversation, text=text)

    with patch("tickets.events.publish"):
        await in_db(write_silently)
