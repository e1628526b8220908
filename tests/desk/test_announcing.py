"""What a thread committed is announced, whatever becomes of whoever waited for it."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.attacks.walls import Frames
from tickets.db import in_db
from tickets.publishing import publish


async def test_a_cancelled_caller_leaves_the_announcement(monkeypatch: pytest.MonkeyPatch) -> None:
    frames, begun, go_on = Frames(), asyncio.Event(), threading.Event()
    monkeypatch.setattr("tickets.publishing.get_channel_layer", lambda: frames)
    loop = asyncio.get_running_loop()

    def commits() -> None:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(60)
        publish([("group", {"type": "conversation.event", "event": {"type": "turn", "turn_id": "t"}})])

    waiting = asyncio.create_task(in_db(commits))
    await begun.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    go_on.set()
    await frames.end_of("t")
    assert [group for group, _ in frames.sent] == ["group"]
