"""`python -m tests.benchmarks.writes <PostgreSQL's process id> <turns> <repeats>`: prints what both ways cost, as JSON.

In the process the database's address comes from the environment. The two ways take turns, each on conversations of its
own, so that what slows the machine slows both.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any
from uuid import UUID

import django

TURNS_EACH = 4  # of one conversation


def main() -> None:
    django.setup()
    server, turns, repeats = map(int, sys.argv[1:])
    sys.stdout.write(json.dumps(asyncio.run(_measure(server, turns, repeats))))


async def _measure(server: int, turns: int, repeats: int) -> list[dict[str, Any]]:
    from tests.benchmarks.people import make_people
    from tests.benchmarks.writes import ours, plain
    from tests.benchmarks.writes.clocks import database_cpu
    from tests.benchmarks.writes.rows import rows_now
    from tickets.db import in_db
    from tickets.models import Conversation

    seen = ours.Seen()
    people = await in_db(make_people, 2)
    for person, note in zip(people, (seen, None), strict=True):  # the first warms up, and shows what is written
        conversation = await in_db(Conversation.objects.select_related("customer").get, pk=person["conversation"])
        await ours.turn(conversation, _asks(person), note)
    await plain.turn(UUID(people[1]["conversation"]), _asks(people[1]), seen)

    async def our_turn(person: dict[str, str]) -> None:
        conversation = await in_db(Conversation.objects.select_related("customer").get, pk=person["conversation"])
        await ours.turn(conversation, _asks(person))

    async def plain_turn(person: dict[str, str]) -> None:
        await plain.turn(UUID(person["conversation"]), _asks(person), seen)

    found = []
    for _ in range(repeats):
        both: dict[str, Any] = {"kinds": [record.kind for records, _ in seen.checkpoints for record in records]}
        for name, take in (("ours", our_turn), ("plain", plain_turn)):
            people = await in_db(make_people, -(-turns // TURNS_EACH))
            rows, before = await in_db(rows_now), database_cpu(server)
            for number in range(turns):
                await take(people[number % len(people)])
            used = database_cpu(server).since(before)
            written = await in_db(rows_now)
            both[name] = {
                "server_ms": 1000 * used.server / turns,
                "threads_ms": 1000 * used.threads / turns,
                "rows": {table: count - rows[table] for table, count in written.items()},
            }
        found.append(both)
    return found


def _asks(person: dict[str, str]) -> str:
    return f"Where is my order {person['order']}?"


if __name__ == "__main__":
    main()
