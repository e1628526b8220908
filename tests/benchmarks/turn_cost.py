"""What one planned turn with a tool costs every part of the product: the inputs of tests/benchmarks/arithmetic.py."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import psycopg

from tests.benchmarks.arithmetic import Inputs
from tests.benchmarks.figures import Section, Setting
from tests.benchmarks.proc import cpu_s
from tests.faults.client import Client
from tests.faults.house import House
from tests.faults.processes import Process

CUSTOMERS, TURNS = 20, 15
TURNS_LONG = 100
IDLE_S = 10.0  # what is done without any turn is measured first, and taken off
FLUSH_S = 2.0  # PostgreSQL's backends tell their counters a little late
TABLES = """
SELECT relname, pg_total_relation_size(oid) FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
TOKENS = """
SELECT sum(input_tokens + cache_write_tokens), sum(cache_read_tokens), sum(output_tokens), count(*),
       (SELECT count(*) FROM support_agent_step WHERE model <> '')
FROM support_agent_turn WHERE state = 'answered'
"""
Counters = dict[str, float]


def measure_inputs(setting: Setting, processes: Section) -> Inputs:
    """Two minutes at most; `processes` is the section of that name, of this run."""
    with House(0, kinds=("web", "runner", "worker", "scheduler")) as house:
        return asyncio.run(_measure(house, setting, {one.name: one.median for one in processes.figures}))


async def _measure(house: House, setting: Setting, known: Mapping[str, float]) -> Inputs:
    clients = [await asyncio.to_thread(house.begin) for _ in range(CUSTOMERS)]
    for client in clients:
        client.open()
    await _turns(house, clients, 1)  # what is loaded with the first turns is no other's
    idle_before, began = await _counters(house), time.monotonic()
    await asyncio.sleep(IDLE_S)
    idle = _rates(idle_before, await _counters(house), time.monotonic() - began)
    sizes, rows = _sizes(house), _rows(house)
    frames = sum(len(client.frames) for client in clients)
    before, began = await _counters(house), time.monotonic()
    each = TURNS_LONG if setting.is_long else TURNS
    await _turns(house, clients, each)
    took = time.monotonic() - began
    after = await _counters(house)
    turns = each * CUSTOMERS
    setting.say(f"{turns} turns in {took:.0f} s")
    cost = {name: max(0.0, after[name] - before[name] - idle[name] * took) / turns for name in after}
    grown = {table: (size - sizes.get(table, 0)) / turns for table, size in _sizes(house).items()}
    more = {table: (count - rows.get(table, 0)) / turns for table, count in _rows(house).items()}
    frames = sum(len(client.frames) for client in clients) - frames
    for client in clients:
        await client.close()
    kept = {table for table in grown if grown[table] > 0 and more.get(table, 0) > 0}
    tokens = house.rows(TOKENS)[0]
    return Inputs(
        web_cpu_ms=cost["web"] * 1000,
        runner_cpu_ms=cost["runner"] * 1000,
        postgres_cpu_ms=cost["postgres"] * 1000,
        redis_cpu_ms=cost["redis"] * 1000,
        frames=frames / turns,
        redis_messages=cost["published"],
        commits=cost["commits"],
        wal_bytes=cost["wal"],
        model_calls=float(tokens[4]) / tokens[3],
        tokens_in=float(tokens[0]) / tokens[3],
        tokens_cached=float(tokens[1]) / tokens[3],
        tokens_out=float(tokens[2]) / tokens[3],
        rows={table: more[table] for table in kept},
        table_bytes={table: grown[table] for table in kept},
        bare_step_bytes=_bare_step(house),
        socket_kb=known["memory of a socket (PSS)"],
        socket_cpu_s=known["its CPU in a minute at idle"] / known["sockets open at once"] * 1000,
        web_mb=known["web: PSS"],
        runner_mb=known["runner: PSS"],
    )


async def _turns(house: House, clients: list[Client], number: int) -> None:
    """Each customer says so many things, one after the answer to another."""

    async def one(client: Client) -> None:
        for _ in range(number):
            words = f"The strap of my backpack is torn, what can be done about it? {house.tag(client)}"
            said = await client.answered(await client.say(words))
            if said.state != "answered":
                raise RuntimeError(f"a turn ended {said.state}")

    await asyncio.gather(*(one(client) for client in clients))


async def _counters(house: House) -> Counters:
    """All that only grows: CPU seconds by part, commits, bytes of the log, messages."""
    await asyncio.sleep(FLUSH_S)
    postmaster = int((house.postgres.folder / "postmaster.pid").read_text().split()[0])
    [(commits, wal)] = house.rows(
        "SELECT sum(xact_commit)::bigint, (pg_current_wal_lsn() - '0/0')::bigint FROM pg_stat_database"
    )
    calls: Any = house.redis().info("commandstats")
    return {
        "web": _cpu(house.of("web")),
        "runner": _cpu(house.of("runner")),
        "postgres": cpu_s(postmaster),
        "redis": cpu_s(int((house.valkey.folder / "valkey.pid").read_text())),
        "commits": float(commits),
        "wal": float(wal),
        "published": float(calls.get("cmdstat_publish", {}).get("calls", 0)),
    }


def _cpu(processes: list[Process]) -> float:
    return sum(cpu_s(process.pid) for process in processes)


def _rates(before: Counters, after: Counters, seconds: float) -> Counters:
    return {name: (after[name] - before[name]) / seconds for name in after}


def _sizes(house: House) -> dict[str, int]:
    return {name: int(size) for name, size in house.rows(TABLES)}


def _rows(house: House) -> dict[str, int]:
    """Rows of every table; one that is locked just now counts none."""
    found = {}
    for name in _sizes(house):
        with suppress(psycopg.OperationalError):
            found[name] = int(house.rows(f'SELECT count(*) FROM "{name}"')[0][0])
    return found


def _bare_step(house: House) -> float:
    """Bytes of a step with its index entries once retention has taken its words and the table was packed."""
    for sql in (
        "UPDATE support_agent_step SET input = '{}', output = '{}', error = ''",
        "VACUUM FULL support_agent_step",
    ):
        with psycopg.connect(house.postgres.url, autocommit=True) as database:
            database.execute(sql.encode())
    return float(
        house.rows("SELECT pg_total_relation_size('support_agent_step')::float / count(*) FROM support_agent_step")[0][
            0
        ]
    )
