"""The net under the pushes: every few seconds all sockets of this process compare their cursor with `last_seq`.

One query for all of them, so that even the very last event of a conversation is never missed when its push was lost.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from contextlib import suppress
from typing import Protocol
from uuid import UUID
from weakref import WeakKeyDictionary

from tickets.db import in_db
from tickets.selectors.conversations import last_seqs

log = logging.getLogger(__name__)
EVERY = 5.0  # seconds


class Follower(Protocol):
    conversation_id: UUID
    cursor: int

    async def catch_up(self) -> None:
        """Send what PostgreSQL has past the cursor."""


class Watch:
    """The sockets of one event loop and the task that looks after them; it lives as long as there are any."""

    def __init__(self) -> None:
        self.followers: set[Follower] = set()
        self._count: Counter[UUID] = Counter()
        self._task: asyncio.Task[None] | None = None

    def add(self, follower: Follower) -> None:
        self.followers.add(follower)
        self._count[follower.conversation_id] += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def remove(self, follower: Follower) -> None:
        if follower not in self.followers:
            return
        self.followers.discard(follower)
        self._count[follower.conversation_id] -= 1
        if not self._count[follower.conversation_id]:
            del self._count[follower.conversation_id]
        if not self.followers and self._task is not None:
            self._task.cancel()
            self._task = None

    def open_for(self, conversation_id: UUID) -> int:
        """How many sockets of this process follow a conversation."""
        return self._count[conversation_id]

    async def check(self) -> None:
        """One round: bring every follower that is behind up to date."""
        latest = await in_db(last_seqs, set(self._count))
        for follower in list(self.followers):
            if latest.get(follower.conversation_id, 0) > follower.cursor:
                with suppress(Exception):  # a socket that just went away must not keep the others waiting
                    await follower.catch_up()

    async def _run(self) -> None:
        while self.followers:
            await asyncio.sleep(EVERY)
            try:
                await self.check()
            except Exception:
                log.warning("cursor_check_failed", exc_info=True)


_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, Watch] = WeakKeyDictionary()


def watch() -> Watch:
    """The watch of the running event loop."""
    return _watches.setdefault(asyncio.get_running_loop(), Watch())
