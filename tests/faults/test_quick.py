"""The part of the fault suite that every run of the tests has: repeated messages and broken connections, on the whole
product with its own model."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID

import psycopg
import pytest

from tests.faults.client import Client, call, fifty_times
from tests.faults.invariants import violations
from tests.faults.judging import of_client
from tests.stack import Stack

pytestmark = pytest.mark.timeout(180)
DROPS = 20


async def test_a_message_said_fifty_times_over_a_broken_line_stands_once(stack: Stack) -> None:
    made = await asyncio.to_thread(call, [stack.url], "/api/v1/conversations", json.dumps({}).encode())
    client = Client([stack.url.replace("http", "ws", 1)], made["id"], made["token"])
    client.open()
    first = await client.say("How long do I have to return something?")
    await fifty_times(client, first, [stack.url])
    second = await client.say("And who pays for the label?")
    for number in range(1, DROPS + 1):
        await client.drop()
        await client.until(lambda number=number: client.connections > number, 60, "a connection")  # type: ignore[misc]
    await client.answered(first)
    await client.answered(second)
    await client.acknowledged(second)  # the answer may be there before a connection that lived to hear of the receipt
    with psycopg.connect(stack.environment["DATABASE_URL"], autocommit=True) as database:
        last = "SELECT last_seq FROM tickets_conversation WHERE id = %s"
        row = database.execute(last, [client.conversation_id]).fetchone()
        assert row is not None
        await client.until(lambda: client.seq >= row[0], 60, "all events")
        await client.close()
        assert of_client(client, database) == []
        assert violations(database, [UUID(client.conversation_id)]) == []
