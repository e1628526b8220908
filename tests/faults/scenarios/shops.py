"""The company's own system: the worker killed while it is asked to do something, its answers lost, itself away.

Each customer's click is a refund in the example's shop, whose books tell in the end how often it was made.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
from typing import Any

from tests.faults.client import Client, call
from tests.faults.house import House
from tests.faults.processes import MANAGE
from tests.faults.registry import all_ready, scenario
from tests.stack import ROOT

ORDER = "FC-2026-01234"
OFFER = """
from decimal import Decimal
from tickets.models import Conversation
from tickets.services.actions import action_propose
conversation = Conversation.objects.select_related("customer").get(pk="{conversation}")
for cents in {cents}:
    action_propose(
        conversation=conversation, customer=conversation.customer, turn_id=None, tool="request_refund",
        arguments={{"order_number": "{order}", "amount": str(Decimal(cents) / 100), "reason": "A scratch."}},
        summary=f"Refund {{cents}} cents", preview={{}}, idempotency_key=f"fault-{{cents}}",
    )
"""
CLOCK_S = 40.0  # pauses, and the clock that looks after effects every ten seconds
_cents = itertools.count(101)


@scenario("worker killed while the shop refunds")
async def worker_while_refunding(house: House) -> None:
    """Once before the shop has heard of it, and once when it has done it and its answer is on the way."""
    client, offers = await offered(house, 2)
    house.to_shop.latency_s = 0.4
    for action_id, is_done in zip(offers, (False, True), strict=True):
        await click(house, client, action_id)
        check = known if is_done else sending
        await house.until(lambda: check(house, action_id), 30, "the moment")  # noqa: B023
        await asyncio.to_thread(house.kill, house.of("worker")[0], {client.conversation_id})
    house.to_shop.heal()
    # Whoever sent it is dead, and only the end of its lease tells: that minute is over now.
    house.rows("UPDATE tickets_effect SET next_at = now() WHERE state = 'sending' RETURNING 1")
    await all_ready(house)
    await settled(house, client, offers)


@scenario("the shop's answers lost")
async def answers_lost(house: House) -> None:
    client, offers = await offered(house, 3)
    house.to_shop.latency_s = 0.4
    for action_id in offers:
        await click(house, client, action_id)
        await house.until(lambda: known(house, action_id), 30, "the refund")  # noqa: B023
        with house.fault("an answer of the shop lost", {client.conversation_id}):
            house.to_shop.reset()
    house.to_shop.heal()
    await settled(house, client, offers)


@scenario("the shop away for a while")
async def shop_away(house: House) -> None:
    client, offers = await offered(house, 3)
    with house.fault("the shop refuses", {client.conversation_id}):
        house.to_shop.refusing = True
        house.to_shop.reset()
        for action_id in offers:
            await click(house, client, action_id)
        await asyncio.sleep(3.0)
        assert not any(known(house, action_id) for action_id in offers)
        house.to_shop.heal()
    await settled(house, client, offers)


async def offered(house: House, count: int) -> tuple[Client, list[str]]:
    """A customer of the shop before whom so many refunds lie, each of another amount."""
    house.shop.anew()
    client = await asyncio.to_thread(house.begin, sub="c_1001", email="astrid.lind@example.com")
    client.open()
    cents = [next(_cents) for _ in range(count)]
    code = OFFER.format(conversation=client.conversation_id, cents=cents, order=ORDER)
    command = [*MANAGE, "shell", "-c", code]
    await asyncio.to_thread(subprocess.run, command, cwd=ROOT, env=house.environment, check=True)
    await client.until(lambda: len(actions(client)) >= count, 30, "the offers")
    return client, list(actions(client))


async def click(house: House, client: Client, action_id: str) -> None:
    body = json.dumps({"token": actions(client)[action_id]["token"], "approve": True}).encode()
    path = f"/api/v1/conversations/{client.conversation_id}/actions/{action_id}"
    urls = [web.url for web in house.of("web")]
    answers = await asyncio.gather(*(asyncio.to_thread(call, urls, path, body, client.token) for _ in range(2)))
    assert {answer["state"] for answer in answers} <= {"confirmed", "done"}, answers  # a double click


async def settled(house: House, client: Client, offers: list[str]) -> None:
    """The customer has seen each refund done, and the shop made each once."""
    over = ("done", "failed")
    await client.until(lambda: all(actions(client)[one]["state"] in over for one in offers), CLOCK_S, "the ends")
    made = [row["reason"] for row in house.shop.query("SELECT reason FROM refunds WHERE reason = 'A scratch.'")]
    ends = [actions(client)[one]["state"] for one in offers]
    assert (ends, len(made)) == (["done"] * len(offers), len(offers)), f"I3: {ends}, and {len(made)} refunds"


def actions(client: Client) -> dict[str, dict[str, Any]]:
    """Each action as the customer saw it last; the token is that of its offer."""
    found: dict[str, dict[str, Any]] = {}
    for event in client.events:
        if event["type"] == "action":
            action = event["action"]
            found[action["id"]] = {**found.get(action["id"], {}), **action}
    return found


def sending(house: House, action_id: str) -> object:
    return house.rows("SELECT 1 FROM tickets_effect WHERE action_id = %s AND state = 'sending'", action_id)


def known(house: House, action_id: str) -> object:
    """Whether the shop has done it."""
    return house.shop.query("SELECT 1 FROM keys WHERE key = ?", f"action:{action_id}:perform")
