"""The scenarios: functions over the house, each registered with its name, and what they share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.faults.client import Client, Said
from tests.faults.house import House
from tests.faults.processes import Process

Run = Callable[[House], Awaitable[None]]
WORDS = "Please write down that the strap of my new backpack is torn"


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    run: Run


SCENARIOS: list[Scenario] = []


def scenario(name: str) -> Callable[[Run], Run]:
    """Register a scenario; what it injects is counted by the house."""

    def register(run: Run) -> Run:
        SCENARIOS.append(Scenario(name, run))
        return run

    return register


async def arrive(house: House, count: int = 1, bases: Sequence[Process] = ()) -> list[Client]:
    """New customers, each with a conversation and connected."""
    clients = await asyncio.gather(*(asyncio.to_thread(house.begin, bases) for _ in range(count)))
    for client in clients:
        client.open()
    for client in clients:
        await client.until(lambda client=client: client.connections, 60, "a connection")  # type: ignore[misc]
    return list(clients)


async def ask(house: House, client: Client, tag: str = "") -> Said:
    """One message that makes a whole turn: a plan, a ticket, an answer; `tag` is one the model has a script for."""
    return await client.say(f"{WORDS} {tag or house.tag(client)}")


@asynccontextmanager
async def busy(house: House, customers: int) -> AsyncIterator[list[Client]]:
    """Customers who write again as soon as they are answered, while the body runs; at the end all are answered."""
    clients = await arrive(house, customers)
    over = asyncio.Event()

    async def talk(client: Client) -> None:
        while not over.is_set():
            await client.answered(await ask(house, client))
            await asyncio.sleep(house.dice.uniform(0.05, 0.5))

    talking = [asyncio.create_task(talk(client)) for client in clients]
    try:
        yield clients
    finally:
        over.set()
        await asyncio.gather(*talking)


async def all_ready(house: House) -> None:
    """Every process is up again."""
    await asyncio.to_thread(house.wait_ready)
