"""The net under the inbox's pushes: every few seconds one look for all its sockets of this process.

It closes those whose session or role is gone, tells of events and notes no push announced, keeps presence warm, and
notes who has the inbox open. A handful of queries, however many sockets there are.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection
from contextlib import suppress
from typing import Protocol
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from support_agent.ops.live import presence
from support_agent.ops.live.standing import Member, members_of
from tickets.db import in_db
from tickets.models import Note, StaffProfile
from tickets.selectors.conversations import last_seqs

log = logging.getLogger(__name__)
EVERY_S = 4.0
SEEN_EVERY_S = 15.0
Marks = dict[UUID, tuple[int, int]]


class Attendant(Protocol):
    """A socket of the inbox."""

    session_key: str
    seat: presence.Seat | None
    mark: tuple[int, int]
    user_id: UUID

    async def recheck(self, member: Member | None) -> bool:
        """Whether it may stay; it closes itself when not."""

    async def caught_up(self, mark: tuple[int, int]) -> None:
        """Tell what lies past its mark."""

    async def show_seats(self, seats: list[presence.Seat]) -> None:
        """Tell who is there, if that changed."""


class Rounds:
    """The sockets of one event loop and the task that looks after them."""

    def __init__(self) -> None:
        self.attendants: set[Attendant] = set()
        self._task: asyncio.Task[None] | None = None
        self._seen: dict[UUID, float] = {}

    def add(self, attendant: Attendant) -> None:
        self.attendants.add(attendant)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def remove(self, attendant: Attendant) -> None:
        self.attendants.discard(attendant)
        if not self.attendants and self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
            self._task = None

    def open_for(self, user_id: UUID) -> int:
        """How many sockets of this process a member of staff has."""
        return sum(attendant.user_id == user_id for attendant in self.attendants)

    async def check(self) -> None:
        """One round."""
        present = list(self.attendants)
        members = await in_db(members_of, {one.session_key for one in present})
        for one in present:
            with suppress(Exception):  # a socket that just went away must not keep the others waiting
                await one.recheck(members.get(one.session_key))
        present = list(self.attendants)
        seats = [one.seat for one in present if one.seat is not None]
        marks = await in_db(_write_and_read, self._to_note(present), {seat.conversation_id for seat in seats})
        everybody = await presence.take(seats) if seats else {}
        for one in present:
            if (seat := one.seat) is None:
                continue
            with suppress(Exception):
                await one.caught_up(marks.get(seat.conversation_id, one.mark))
                if seat.conversation_id in everybody:
                    await one.show_seats(everybody[seat.conversation_id])

    def _to_note(self, present: list[Attendant]) -> set[UUID]:
        """Whose inbox is to be noted as open now."""
        now = time.monotonic()
        due = {one.user_id for one in present if now - self._seen.get(one.user_id, -SEEN_EVERY_S) >= SEEN_EVERY_S}
        here = {one.user_id for one in present}
        self._seen = {user: at for user, at in self._seen.items() if user in here} | dict.fromkeys(due, now)
        return due

    async def _run(self) -> None:
        while self.attendants:
            try:
                await self.check()
            except Exception:
                log.warning("inbox_round_failed", exc_info=True)
            await asyncio.sleep(EVERY_S)


def marks_of(conversation_ids: Collection[UUID]) -> Marks:
    """(last seq, number of notes) of each: what a watcher may have missed."""
    if not conversation_ids:
        return {}
    notes = Note.objects.filter(conversation__in=conversation_ids).order_by().values_list("conversation")
    counted = dict(notes.annotate(Count("pk")))
    return {key: (seq, counted.get(key, 0)) for key, seq in last_seqs(conversation_ids).items()}


def _write_and_read(to_note: set[UUID], watched: set[UUID]) -> Marks:
    if to_note:
        note_seen(to_note)
    return marks_of(watched)


@transaction.atomic
def note_seen(users: set[UUID]) -> None:
    """Their inbox is open now. Locked rows are left out and come by again: web processes must not wait in a ring."""
    free = StaffProfile.objects.filter(user__in=users).select_for_update(skip_locked=True, no_key=True).order_by("pk")
    StaffProfile.objects.filter(pk__in=list(free.values_list("pk", flat=True))).update(seen_at=timezone.now())


_rounds: WeakKeyDictionary[asyncio.AbstractEventLoop, Rounds] = WeakKeyDictionary()


def rounds() -> Rounds:
    """The rounds of the running event loop."""
    return _rounds.setdefault(asyncio.get_running_loop(), Rounds())
