"""What one client may cost: frames sent too fast, frames never read, too many sockets; each refused in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from channels.generic.websocket import AsyncWebsocketConsumer

from support_agent import sockets
from support_agent.env import env
from support_agent.runtime import ratelimit
from tests.cast import Cast
from tests.chat.conftest import Line, begin, said
from tickets.db import in_db
from tickets.models import Conversation, Message
from tickets.publishing import group_of, send_frames
from tickets.services.messages import message_system

Lines = Callable[..., Line]


@pytest.fixture
def one_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits as they are, and windows that do not end within a test."""
    monkeypatch.setattr(ratelimit, "env", env.model_copy(update={"rate_limit_scale": 1.0}))
    monkeypatch.setattr(sockets, "FRAMES_S", 1e6)


def reading(line: Line) -> dict[str, int]:
    """A server that knows how much this client has left unread: what is in the box."""
    box = {"bytes": 0}
    line._socket.scope["extensions"] = {sockets.UNREAD: {"bytes": lambda: box["bytes"]}}
    return box


async def opened(lines: Lines, **options: Any) -> tuple[Conversation, Line]:
    conversation, token = await begin()
    line = lines(conversation.pk, token=token, origin=None, **options)
    await line.open()
    return conversation, line


async def test_a_socket_that_floods_is_told_and_then_closed(
    people: Cast, lines: Lines, one_to_one: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "FRAMES_OF_SOCKET", 3)
    monkeypatch.setattr(sockets, "FLOOD", 2)
    conversation, line = await opened(lines)
    await line.until("ready")
    for frame in ("no json", "[]", '{"type": "nonsense"}'):  # broken ones count as well
        await line.raw(frame)
        assert (await line.until("error"))["code"] != "rate_limited"
    for _ in range(3):
        await line.send(**said("too much"))
        error = await line.until("error")
        assert error["code"] == "rate_limited"
        assert error["retry_after"] >= 1
    await line.send(type="ping")
    assert await line.closed() == 4429
    await line.send(**said("after the close"))
    assert await line.silent()
    assert not await in_db(Message.objects.filter(conversation=conversation).exists)


async def test_who_does_not_read_gets_no_passing_frames_and_misses_nothing(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    line = lines(conversation.pk, token=token, origin=None)
    box = reading(line)
    await line.open()
    await line.until("ready")
    box["bytes"] = sockets.MUCH_UNREAD + 1
    delta = {"type": "delta", "turn_id": "t", "message_id": "m", "offset": 0, "text": "Hel"}
    await send_frames([(group_of(conversation.pk), {"type": "conversation.frame", "frame": delta})])
    await in_db(message_system, conversation=conversation, text="A fact.")
    assert await line.silent()
    box["bytes"] = 0
    frame = await line.frame()
    assert frame["type"] == "message", "the delta is gone, the message is not"
    assert frame["message"]["text"] == "A fact."


async def test_who_never_reads_is_closed_and_comes_back(
    people: Cast, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "READ_WITHIN_S", 0.1)
    conversation, token = await begin()
    await in_db(message_system, conversation=conversation, text="A fact.")
    line = lines(conversation.pk, token=token, origin=None)
    reading(line)["bytes"] = sockets.MUCH_UNREAD + 1
    await line.open()
    assert (await line.frame())["type"] == "ready"
    assert await line.closed() == 4408
    again = lines(conversation.pk, token=token, origin=None, after=0)
    await again.open()
    assert (await again.until("message"))["message"]["text"] == "A fact."


async def test_nothing_piles_up_without_end(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    line = lines(conversation.pk, token=token, origin=None)
    box = reading(line)
    await line.open()
    await line.until("ready")
    box["bytes"] = sockets.MOST_UNREAD + 1
    await line.send(type="ping")
    assert await line.closed() == 4408


async def test_a_server_that_may_not_send_1009(people: Cast, lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    close = AsyncWebsocketConsumer.close

    async def as_daphne(self: Any, code: Any = None, reason: Any = None) -> None:
        if code is not None and code != 1000 and not 3000 <= code <= 4999:
            raise Exception(f"invalid close code {code}")
        await close(self, code, reason)

    monkeypatch.setattr(AsyncWebsocketConsumer, "close", as_daphne)
    _, line = await opened(lines)
    await line.until("ready")
    await line.raw("x" * 70_000)
    assert await line.closed() == 4413


async def test_sockets_of_one_address_and_of_the_process(
    people: Cast, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ratelimit, "SOCKETS_PER_ADDRESS", 0)  # whatever the scale, one is left
    conversation, token = await begin()

    def one(address: str) -> Line:
        return lines(conversation.pk, token=token, origin=None, address=address)

    first, second, other = one("198.51.100.7"), one("198.51.100.7"), one("198.51.100.8")
    assert await first.open()
    await first.until("ready")
    assert await second.open()
    assert await second.closed() == 4429
    assert await other.open()
    await other.until("ready")
    await first.hang_up()
    third = one("198.51.100.7")
    await third.open()
    await third.until("ready")
    monkeypatch.setattr(ratelimit, "SOCKETS_PER_PROCESS", 2)
    late = one("198.51.100.9")
    await late.open()
    assert await late.closed() == 4429
