"""The runner: one asyncio process that runs hundreds of turns. It hears of work by LISTEN and claims it under a lease.

It owns turns only while it holds its advisory lock, on the same session that listens. If that session is lost, it
stops every turn at once and comes back under a new name: what it had is taken over like a dead runner's.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import structlog
from django.conf import settings
from django.db import connection
from django.utils import timezone
from psycopg.conninfo import conninfo_to_dict

from support_agent.models import Heartbeat, Turn
from support_agent.runtime.alert_watch import watch_worker
from support_agent.runtime.attempt import DATABASE_AWAY, Attempt
from support_agent.runtime.claims import claim, release, renew
from support_agent.runtime.recovery import sweep
from support_agent.runtime.signals import CHANNEL
from tickets.audience import EVERYONE
from tickets.db import in_db
from tickets.search import search

if TYPE_CHECKING:
    from support_agent.llm.client import ModelClient

log = structlog.get_logger(__name__)
CONCURRENCY = 200
POLL_S = 1.0  # how soon a dead runner's turns are found
PAUSE_S = 0.2
HEARTBEAT_S = 5.0
GRACE_S = 20.0
WATCH_S = 60.0  # how often it looks whether the worker still looks after the alerts


class Runner:
    """Run until `stop` is called; see the module's docstring."""

    def __init__(
        self, concurrency: int = CONCURRENCY, *, grace_s: float = GRACE_S, model: ModelClient | None = None
    ) -> None:
        """`grace_s` is what a turn gets to end after SIGTERM; `model` stands in for the configured one."""
        self._concurrency, self._grace_s = concurrency, grace_s
        self._name = ""
        self._model = model
        self._running: dict[UUID, tuple[Attempt, asyncio.Task[None]]] = {}
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._pause = PAUSE_S  # before the next session, after one that was lost

    def stop(self) -> None:
        """Stop claiming; what runs gets a grace period, then goes back."""
        self._stopping.set()
        self._wake.set()

    async def run(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._session()
            except DATABASE_AWAY as error:
                await self._drop_all()
                log.warning("runner_lost_database", error=str(error).splitlines()[0], retry_in_s=self._pause)
                await _wait(self._stopping, self._pause)
                self._pause = min(5.0, self._pause * 2)
        if self._model is not None:
            await self._model.aclose()

    async def _session(self) -> None:
        """One database session: lock, listen, claim, until stopped. Raises OperationalError when it is lost."""
        lock_key = random.getrandbits(31)  # a name, not a secret
        self._name = f"{socket.gethostname()[:40]}-{os.getpid()}-{lock_key:x}"
        async with await psycopg.AsyncConnection.connect(**_connection_parameters(), autocommit=True) as session:
            await session.execute("SELECT pg_advisory_lock(%s::bigint)", [lock_key])
            await session.execute(f"LISTEN {CHANNEL}")
            await in_db(_announce, self._name, lock_key)
            self._pause = PAUSE_S
            log.info("runner_ready", name=self._name)
            aside = [asyncio.create_task(work) for work in (_warm_up(), _watch(), _sweep())]
            loops = [asyncio.create_task(loop) for loop in (self._listen(session), self._beat(), self._work())]
            try:
                done, _ = await asyncio.wait(loops, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                await self._drain()
            finally:
                for task in (*loops, *aside):
                    task.cancel()
                await asyncio.gather(*loops, *aside, return_exceptions=True)
                self._stop_reason_for_all("shutdown")
            await in_db(_leave, self._name)

    async def _listen(self, session: psycopg.AsyncConnection[object]) -> None:
        async for notification in session.notifies():
            kind, _, rest = notification.payload.partition(" ")
            if kind == "queued":
                self._wake.set()
            elif kind == "stop":
                turn_id, _, why = rest.partition(" ")
                self._stop_turn(UUID(turn_id), why)
        raise psycopg.OperationalError("the listening connection ended")

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            mine = list(self._running)  # what is claimed while we ask is not in the answer
            stops = await in_db(_renew_all, self._name, mine)
            for turn_id in mine:
                # A turn that is no longer ours: its writes are fenced, but there is no reason to go on paying for it.
                self._stop_turn(turn_id, stops.get(turn_id, "taken_over"))

    async def _work(self) -> None:
        if self._model is None:
            self._model = (await asyncio.to_thread(_client_maker))()
        next_look = 0.0
        while not self._stopping.is_set():
            self._wake.clear()
            free = self._concurrency - len(self._running)
            looks = time.monotonic() >= next_look  # for what dead runners left
            if looks:
                next_look = time.monotonic() + POLL_S
            turns = await in_db(claim, self._name, free, orphans_too=looks) if free > 0 else []
            for turn in turns:
                self._start(turn, self._model)
            if len(turns) < free or free <= 0:
                await _wait(self._wake, max(0.0, next_look - time.monotonic()))

    def _start(self, turn: Turn, model: ModelClient) -> None:
        attempt = Attempt(turn, model)
        task = asyncio.create_task(attempt.run())
        self._running[turn.pk] = (attempt, task)

        def ended(_: asyncio.Task[None]) -> None:
            if len(self._running) >= self._concurrency:
                self._wake.set()  # there is room again
            self._running.pop(turn.pk, None)

        task.add_done_callback(ended)

    def _stop_turn(self, turn_id: UUID, why: str) -> None:
        if why and turn_id in self._running:
            attempt, task = self._running[turn_id]
            if attempt.stop == why:
                return  # told already: it may be writing its end
            attempt.stop = why
            task.cancel()  # whatever it waits for; the engine ends a customer's stop with what was shown

    async def _drain(self) -> None:
        """SIGTERM: let what runs end, then hand the rest back."""
        tasks = [task for _, task in self._running.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=self._grace_s)
        await self._drop_all()
        released = await in_db(release, self._name)
        log.info("runner_stopped", name=self._name, handed_back=released)

    async def _drop_all(self) -> None:
        tasks = [task for _, task in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _stop_reason_for_all(self, why: str) -> None:
        for attempt, _ in self._running.values():
            attempt.stop = attempt.stop or why


def _client_maker() -> Callable[[], ModelClient]:
    """The SDK takes as long to load as all of Django: after the start was announced, and beside the loop."""
    from support_agent.runtime.model import make_client

    return make_client


async def _warm_up() -> None:
    """Load the search's model before somebody waits for it; the first turn would otherwise pay seconds."""
    try:
        await in_db(search, "delivery", readers=EVERYONE, limit=1)
    except Exception:
        log.warning("warm_up_failed", exc_info=True)


async def _sweep() -> None:
    """Repair at every start what the last one left; the clock's sweep needs a scheduler, a worker and Redis."""
    try:
        await in_db(sweep)
    except Exception:
        log.warning("sweep_failed", exc_info=True)


async def _watch() -> None:
    """Look after the worker as long as this session lasts; what goes wrong here is no turn's concern."""
    started_at = timezone.now()
    while True:
        await asyncio.sleep(WATCH_S)
        try:
            await in_db(watch_worker, started_at)
        except Exception:
            log.warning("watch_failed", exc_info=True)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def _connection_parameters() -> dict[str, Any]:
    """A connection of our own, past any pooler: in transaction mode locks and LISTEN would be another session's."""
    if settings.DATABASE_DIRECT_URL:
        return conninfo_to_dict(settings.DATABASE_DIRECT_URL)
    parameters = dict(connection.get_connection_params())
    for name in ("pool", "cursor_factory", "context", "prepare_threshold", "server_side_binding"):
        parameters.pop(name, None)
    return parameters


def _announce(name: str, lock_key: int) -> None:
    Heartbeat.objects.filter(kind="runner", seen_at__lt=timezone.now() - timedelta(days=1)).delete()
    Heartbeat.objects.create(name=name, kind="runner", lock_key=lock_key, details={"pid": os.getpid()})


def _renew_all(name: str, turn_ids: list[UUID]) -> dict[UUID, str]:
    details = {"pid": os.getpid(), "running": len(turn_ids)}
    Heartbeat.objects.filter(name=name).update(seen_at=timezone.now(), details=details)
    return renew(name, turn_ids)


def _leave(name: str) -> None:
    Heartbeat.objects.filter(name=name).delete()
