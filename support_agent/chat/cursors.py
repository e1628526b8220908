"""The net under the pushes: every few seconds all sockets of this process compare their cursor with `last_seq`.

One query for all of them, so that even the very last event of a conversation is never missed when its push was lost.
In the same way sockets are found whose session or account is gone, though nobody could tell them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Protocol
from uuid import UUID
from weakref import WeakKeyDictionary

from django.contrib.sessions.models import Session
from django.utils import timezone

from tickets.db import in_db
from tickets.models import Customer, User
from tickets.selectors.conversations import last_seqs
from tickets.selectors.waits import Place, places
from tickets.services.conversations import customers_seen

log = logging.getLogger(__name__)
EVERY = 5.0  # seconds
PLACES_EVERY = 4  # rounds: how often those who wait are looked up in their line
PLACES_APART = 2.0  # seconds: who comes meanwhile is looked up together, as all do after a deploy
CATCH_UP_S = 1.0  # how long a round waits for those it brings up to date; they go on by themselves
SEEN_EVERY = 15.0
"""How often it is noted that a conversation's customer is connected."""


class Follower(Protocol):
    conversation_id: UUID
    cursor: int
    session_key: str
    user_id: UUID | None

    @property
    def is_waiting(self) -> bool:
        """Whether its customer waits for a person."""

    @property
    def is_busy(self) -> bool:
        """Whether it is being brought up to date already."""

    async def catch_up(self) -> None:
        """Send what PostgreSQL has past the cursor."""

    async def look_again(self) -> None:
        """Close, unless its session still stands."""

    async def show_place(self, place: Place | None) -> None:
        """Tell where in the line this conversation stands, if that is news."""


class Watch:
    """The sockets of one event loop and the task that looks after them; it lives as long as there are any."""

    def __init__(self) -> None:
        self.followers: set[Follower] = set()
        self._count: Counter[UUID] = Counter()
        self._task: asyncio.Task[None] | None = None
        self._noted: dict[UUID, float] = {}
        self._seeking: set[Follower] = set()
        self._seeker: asyncio.Task[None] | None = None
        self._looked = -PLACES_APART
        self._catching: set[asyncio.Task[None]] = set()  # held here, or they would be collected

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
        self._seeking.discard(follower)
        if self.followers:
            return
        for task in (self._task, self._seeker):
            if task is not None:
                task.cancel()
        self._task = self._seeker = None

    def open_for(self, conversation_id: UUID) -> int:
        """How many sockets of this process follow a conversation."""
        return self._count[conversation_id]

    async def check(self) -> None:
        """One round: bring every follower that is behind up to date, and note that their customers are there."""
        await self._see_off()
        latest = await in_db(last_seqs, set(self._count))
        if due := self._to_note():
            await in_db(customers_seen, due)
        behind = [
            follower
            for follower in self.followers
            if latest.get(follower.conversation_id, 0) > follower.cursor and not follower.is_busy
        ]
        # A client that does not read, or just went away, must not keep the others waiting.
        tasks = {asyncio.create_task(_caught_up(follower)) for follower in behind}
        if tasks:
            self._catching |= (await asyncio.wait(tasks, timeout=CATCH_UP_S))[1]
        self._catching = {task for task in self._catching if not task.done()}

    async def _see_off(self) -> None:
        """Whoever's session or account is gone looks again, and goes."""
        present = list(self.followers)
        keys = {one.session_key for one in present if one.session_key}
        users = {one.user_id for one in present if one.user_id is not None}
        sessions, accounts = await in_db(standing, keys, users)
        for one in present:
            if one.session_key and (one.session_key not in sessions or one.user_id not in accounts):
                with suppress(Exception):
                    await one.look_again()

    async def check_places(self) -> None:
        """Look up all who wait, in one query a team, and tell those whose place or wait has changed."""
        await self._show_places(self.followers)

    def find_place(self, follower: Follower) -> None:
        """Tell one who just came their place: at once, or together with all who come within the next two seconds."""
        self._seeking.add(follower)
        if self._seeker is None or self._seeker.done():
            self._seeker = asyncio.create_task(self._seek())

    async def _seek(self) -> None:
        while self._seeking:
            await asyncio.sleep(max(0.0, self._looked + PLACES_APART - time.monotonic()))
            seeking, self._seeking = self._seeking, set()
            self._looked = time.monotonic()
            await self._quietly(partial(self._show_places, seeking))

    async def _show_places(self, followers: Collection[Follower]) -> None:
        waiting = [follower for follower in followers if follower.is_waiting]
        if not waiting:
            return
        found = await in_db(places, {follower.conversation_id for follower in waiting}, timezone.now())
        for follower in waiting:
            with suppress(Exception):
                await follower.show_place(found.get(follower.conversation_id))

    def _to_note(self) -> set[UUID]:
        """Conversations with an open socket that were not noted for a while."""
        now, open_ones = time.monotonic(), set(self._count)
        due = {key for key in open_ones if now - self._noted.get(key, -SEEN_EVERY) >= SEEN_EVERY}
        self._noted = {key: at for key, at in self._noted.items() if key in open_ones} | dict.fromkeys(due, now)
        return due

    async def _run(self) -> None:
        for rounds in count(1):
            await asyncio.sleep(EVERY)
            await self._quietly(self.check)
            if rounds % PLACES_EVERY == 0:
                await self._quietly(self.check_places)

    async def _quietly(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception:
            log.warning("cursor_check_failed", exc_info=True)


async def _caught_up(follower: Follower) -> None:
    with suppress(Exception):
        await follower.catch_up()


def standing(session_keys: Collection[str], user_ids: Collection[UUID]) -> tuple[set[str], set[UUID | None]]:
    """Which of these sessions and accounts stand; nobody's (None) always does. What a session says is not read."""
    sessions = Session.objects.filter(session_key__in=session_keys, expire_date__gt=timezone.now())
    users = User.objects.filter(pk__in=user_ids, is_active=True).exclude(customer__status=Customer.Status.CLOSED)
    return set(sessions.values_list("session_key", flat=True)), {None, *users.values_list("pk", flat=True)}


_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, Watch] = WeakKeyDictionary()


def watch() -> Watch:
    """The watch of the running event loop."""
    return _watches.setdefault(asyncio.get_running_loop(), Watch())
