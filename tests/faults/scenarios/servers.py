"""PostgreSQL and Redis: restarted, crashed, emptied, slow, unreachable, under load all the while."""

from __future__ import annotations

import asyncio

from tests.faults.house import House
from tests.faults.proxy import Proxy
from tests.faults.registry import all_ready, busy, scenario

CUSTOMERS = 10


@scenario("PostgreSQL restarted again and again")
async def postgres_restarted(house: House) -> None:
    async with busy(house, CUSTOMERS):
        for number in range(6):
            await asyncio.sleep(house.dice.uniform(0.5, 3.0))
            with house.fault("PostgreSQL restarted"):
                await asyncio.to_thread(house.restart_postgres, at_once=number % 2 == 1)
    await all_ready(house)


@scenario("PostgreSQL unreachable or slow")
async def postgres_unreachable(house: House) -> None:
    async with busy(house, CUSTOMERS):
        for _ in range(4):
            await asyncio.sleep(house.dice.uniform(0.5, 2.0))
            with house.fault("connections to PostgreSQL reset"):
                house.to_database.reset()
        await away(house, house.to_database, "PostgreSQL refuses", refusing=True)
        await away(house, house.to_database, "PostgreSQL is silent", dead=True)
        await away(house, house.to_database, "PostgreSQL is slow", latency_s=0.05)
    await all_ready(house)


@scenario("Redis killed")
async def redis_killed(house: House) -> None:
    async with busy(house, CUSTOMERS):
        for _ in range(4):
            await asyncio.sleep(house.dice.uniform(0.5, 2.0))
            with house.fault("Redis killed"):
                house.kill_redis()
                await asyncio.sleep(house.dice.uniform(0.2, 2.0))
                await asyncio.to_thread(house.valkey.start)
    await all_ready(house)


@scenario("Redis emptied")
async def redis_emptied(house: House) -> None:
    async with busy(house, CUSTOMERS):
        for _ in range(6):
            await asyncio.sleep(house.dice.uniform(0.2, 1.5))
            with house.fault("Redis emptied"):
                await asyncio.to_thread(house.redis().flushall)
    await all_ready(house)


@scenario("Redis unreachable or slow")
async def redis_unreachable(house: House) -> None:
    async with busy(house, CUSTOMERS):
        for _ in range(4):
            await asyncio.sleep(house.dice.uniform(0.5, 2.0))
            with house.fault("connections to Redis reset"):
                house.to_redis.reset()
        await away(house, house.to_redis, "Redis refuses", refusing=True)
        await away(house, house.to_redis, "Redis is silent", dead=True)
        await away(house, house.to_redis, "Redis is slow", latency_s=0.3)
    await all_ready(house)


async def away(
    house: House, line: Proxy, kind: str, *, refusing: bool = False, dead: bool = False, latency_s: float = 0.0
) -> None:
    """Three seconds of it, and then all is well; who was refused before notices only by a reset."""
    with house.fault(kind):
        line.refusing, line.dead, line.latency_s = refusing, dead, latency_s
        if refusing:
            line.reset()
        await asyncio.sleep(3.0)
        line.heal()
    await asyncio.sleep(1.0)
