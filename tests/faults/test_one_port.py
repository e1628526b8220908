"""Two web processes and two runners behind one port, as a company runs them: nobody can tell which one they met."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import pytest

from tests.faults.client import Client, call
from tests.faults.invariants import violations
from tests.faults.judging import of_client
from tests.faults.processes import Process
from tests.faults.proxy import Proxy
from tests.stack import Stack, free_port

pytestmark = pytest.mark.timeout(180)  # real processes, on a machine that may be busy
CUSTOMERS = 6
MOST_ROUNDS = 12  # until both runners had turns: who is quicker is chance
READY = "SELECT count(*) FROM support_agent_heartbeat WHERE kind = 'runner' AND name LIKE %s"
MINE = "SELECT count(*) FILTER (WHERE owner LIKE %s), count(*) FROM support_agent_turn WHERE conversation_id = ANY(%s)"
LAST = "SELECT last_seq FROM tickets_conversation WHERE id = %s"
QUESTIONS = (
    "How long do I have to return something?",
    "How much is express shipping?",
    "Do you ship to Canada?",
    "Thank you!",
)


@dataclass(slots=True)
class Pair:
    """The running product, a second web process and a second runner beside it, and the port before both webs."""

    stack: Stack
    web: Process
    runner: Process
    port: Proxy
    database: psycopg.Connection[Any]

    @property
    def doors(self) -> tuple[tuple[str, int], tuple[str, int]]:
        """Where the two web processes listen."""
        return self.port.targets  # type: ignore[return-value]

    def one(self, sql: str, *parameters: object) -> tuple[Any, ...]:
        row: tuple[Any, ...] | None = self.database.execute(sql.encode(), parameters).fetchone()
        assert row is not None
        return row

    def begin(self) -> Client:
        """A new customer by the one port, whose socket comes by it too."""
        made = call([f"http://127.0.0.1:{self.port.port}"], "/api/v1/conversations", json.dumps({}).encode())
        return Client([f"ws://127.0.0.1:{self.port.port}"], made["id"], made["token"])

    def turns(self, clients: list[Client]) -> tuple[int, int]:
        """Of these customers' turns: how many each runner had, ours first."""
        ours, both = self.one(MINE, f"%-{self.runner.pid}-%", [UUID(client.conversation_id) for client in clients])
        return ours, both - ours


@pytest.fixture
def pair(stack: Stack, tmp_path: Path) -> Iterator[Pair]:
    with _pair(stack, tmp_path) as found:
        yield found


@contextmanager
def _pair(stack: Stack, folder: Path) -> Iterator[Pair]:
    web = Process("web", stack.environment, folder / "web.log", free_port())
    runner = Process("runner", stack.environment, folder / "runner.log")
    there = ("127.0.0.1", urlsplit(stack.url).port or 0)
    try:
        web.start()
        runner.start()
        with (
            Proxy(there, ("127.0.0.1", web.port)) as port,
            psycopg.connect(stack.environment["DATABASE_URL"], autocommit=True) as database,
        ):
            yield Pair(stack, web, runner, port, database)
    finally:
        for process in (web, runner):
            if process.running is not None:
                process.kill()


async def ready(pair: Pair) -> None:
    async with asyncio.timeout(90):
        while not pair.one(READY, f"%-{pair.runner.pid}-%")[0] or not await _listens(pair.web.port):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def ask(clients: list[Client], text: str) -> None:
    """All of them at once, until everybody is answered."""
    for said in [(client, await client.say(text)) for client in clients]:
        await said[0].answered(said[1], 60)


async def test_two_webs_and_two_runners_are_one_to_their_customers(pair: Pair) -> None:
    await ready(pair)
    pair.port.led.clear()
    clients = [await asyncio.to_thread(pair.begin) for _ in range(CUSTOMERS)]
    for client in clients:
        client.open()
    for number in range(MOST_ROUNDS):
        await ask(clients, QUESTIONS[number % len(QUESTIONS)])
        if min(pair.turns(clients)) > 0:
            break
    assert min(pair.turns(clients)) > 0, "one runner had every turn"
    assert set(pair.port.led) == set(pair.port.targets), "one web process had every customer"

    # The same conversation on a phone beside the laptop, at each of the two.
    others = [
        Client([f"ws://127.0.0.1:{port}"], clients[0].conversation_id, clients[0].token) for _, port in pair.doors
    ]
    for other in others:
        other.open()
    restarting = asyncio.create_task(_restart(pair))
    for text in QUESTIONS[:2]:
        await ask(clients, text)
    await restarting
    await ask(clients, QUESTIONS[-1])

    for client in (*clients, *others):
        last = pair.one(LAST, client.conversation_id)[0]
        await client.until(lambda client=client, last=last: client.seq >= last, 60, "all events")  # type: ignore[misc]
        await client.close()
        assert of_client(client, pair.database) == []
    assert [other.events for other in others] == [clients[0].events] * 2
    assert violations(pair.database, [UUID(client.conversation_id) for client in clients]) == []


async def _restart(pair: Pair) -> None:
    """As `systemctl restart` does: told to end, waited for, started again."""
    await asyncio.to_thread(pair.web.kill, signal.SIGTERM)
    pair.web.start()
    await ready(pair)
