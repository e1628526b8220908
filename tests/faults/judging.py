"""After each scenario: all at rest, then the database and every client are asked whether a promise was broken."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg

from tests.faults.client import Client
from tests.faults.house import House
from tests.faults.invariants import violations

REST_S = 120.0
# What the estimate of a cut call's output may fall short of what was sent and never arrived, in USD a call.
UNSEEN_USD = Decimal("0.002")
LIVE = "SELECT 1 FROM support_agent_turn WHERE conversation_id = ANY(%s::uuid[]) AND state IN ('queued', 'running')"
LAST = "SELECT last_seq FROM tickets_conversation WHERE id = %s"
ACCOUNTS = """
SELECT t.conversation_id::text, coalesce(sum(s.cost_usd), 0), count(*) FILTER (WHERE s.cost_estimated)
FROM support_agent_turn t LEFT JOIN support_agent_step s ON s.turn_id = t.id
WHERE t.conversation_id = ANY(%s::uuid[]) GROUP BY t.conversation_id
"""


async def rest(house: House) -> None:
    """Until no turn runs and every client has seen all there is, or for two minutes: what is wrong then is found."""
    ids = [client.conversation_id for client in house.clients]
    try:
        await house.until(lambda: not house.rows(LIVE, ids), REST_S, "the end of all turns")
        async with asyncio.timeout(REST_S):
            for client in house.clients:
                last = (await asyncio.to_thread(house.rows, LAST, client.conversation_id))[0][0]
                while client.seq < last or client.unfinished:  # noqa: ASYNC110  # it happens in other processes
                    await asyncio.sleep(0.05)
    except (AssertionError, TimeoutError):
        return


def judge(house: House) -> list[str]:
    """Every promise that was broken, a sentence each."""
    ids = [UUID(client.conversation_id) for client in house.clients]
    with psycopg.connect(house.postgres.url, autocommit=True) as database:
        found = violations(database, ids)
        for client in house.clients:
            found += [f"{problem} ({client.conversation_id})" for problem in of_client(client, database)]
        found += _of_accounts(house, database)
    found += [f"the model API refused a request: {refused.message}" for refused in house.model.api.refusals]
    house.model.api.refusals.clear()
    return found


def recoveries(house: House) -> list[float]:
    """For each turn that was awaited when a fault ended: from the end of the last such fault to its own, in seconds."""
    found = []
    for client in house.clients:
        ends = [fault.over for fault in house.faults if fault.whose is None or client.conversation_id in fault.whose]
        for said in client.said.values():
            if said.ended_at is not None:
                hit = [over for over in ends if said.at <= over < said.ended_at]
                found += [said.ended_at - max(hit)] if hit else []
    return found


def of_client(client: Client, database: psycopg.Connection[Any]) -> list[str]:
    """What one client saw against what the database has."""
    found = list(client.problems)
    for said in client.said.values():
        rows = database.execute(
            "SELECT id::text FROM tickets_message WHERE conversation_id = %s AND client_message_id = %s",
            [client.conversation_id, said.id],
        ).fetchall()
        if rows != [(said.message_id,)]:
            found.append(f"I1: {said.text!r} was acknowledged as {said.message_id or 'nothing'}, and stands as {rows}")
        if said.turn_id and said.ended_at is None:
            found.append(f"I2: {said.text!r} was never answered")
    there = database.execute(
        "SELECT seq, type, message_id::text FROM tickets_event WHERE conversation_id = %s ORDER BY seq",
        [client.conversation_id],
    ).fetchall()
    seen = [(event["seq"], event["type"], event.get("message", {}).get("id")) for event in client.events]
    if seen != there:
        found.append(f"I5: saw {len(seen)} events up to {client.seq}, there are {len(there)}")
    found += [f"I5: {text[:60]!r} was left standing" for text in client.unfinished]
    return found


def _of_accounts(house: House, database: psycopg.Connection[Any]) -> list[str]:
    """What was recorded against what the API charged: exactly, and for a cut call never less than the prompt."""
    found = []
    rows = database.execute(ACCOUNTS, [[client.conversation_id for client in house.clients]]).fetchall()
    for conversation_id, recorded, estimates in rows:
        charged = house.model.charged(house.tags.get(conversation_id, set()))
        if recorded != charged if not estimates else charged - recorded > UNSEEN_USD * estimates:
            found.append(f"I6: {recorded} recorded, {charged} charged, {estimates} estimates ({conversation_id})")
    return found
