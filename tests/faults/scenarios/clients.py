"""Clients at their worst, people taking over, and half of the runners gone."""

from __future__ import annotations

import asyncio
import time
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener
from uuid import uuid4

from channels_redis.pubsub import RedisPubSubChannelLayer

from tests.cast import PASSWORD
from tests.faults.client import fifty_times
from tests.faults.figures import Fault
from tests.faults.house import House
from tests.faults.model import ANSWER_CALL, Held
from tests.faults.processes import Process
from tests.faults.registry import all_ready, arrive, ask, scenario

TAKEN_OVER_S = 2.0


@scenario("the same message 50 times at once")
async def fifty_at_once(house: House) -> None:
    """Over two web processes, by socket and by HTTP."""
    urls = [web.url for web in house.of("web")]
    clients = await arrive(house, 3)
    for client in clients:
        said = await ask(house, client)
        with house.fault("the same message 50 times", {client.conversation_id}):
            await fifty_times(client, said, urls)
        await client.answered(said)


@scenario("frames out of order, bad and foreign")
async def out_of_order(house: House) -> None:
    clients = await arrive(house, 4)
    strange: list[Any] = [
        {"type": "confirm", "action_id": str(uuid4()), "token": "x", "approve": True},
        {"type": "undo", "action_id": str(uuid4())},
        {"type": "stop"},
        {"type": "read", "seq": 10**9},
        {"type": "feedback", "message_id": str(uuid4()), "helpful": True},
        {"type": "verify", "code": "000000"},
        {"type": "survey", "rating": 5},
        {"type": "message", "client_message_id": "no id", "text": "?"},
        {"type": "ready"},
        {"type": "message"},
        [],
        {"type": "ping"},
    ]
    for client in clients:
        house.dice.shuffle(strange)
        said = await ask(house, client)
        for frame in strange:
            with house.fault("a frame out of order", {client.conversation_id}):
                await client.send(frame)
        again = await ask(house, client)
        await client.answered(said)
        await client.answered(again)


@scenario("pushes repeated, early and late")
async def pushes_out_of_order(house: House) -> None:
    """What reaches the sockets by Redis is no authority: what comes twice or too early changes nothing."""
    client = (await arrive(house))[0]
    layer = RedisPubSubChannelLayer(hosts=[house.valkey.url])
    group = f"conversation.{client.conversation_id.replace('-', '')}"
    said = await ask(house, client)
    await client.until(lambda: client.events, 60, "the first event")
    for _ in range(30):
        event = house.dice.choice(client.events)
        if house.dice.random() < 0.5:  # far ahead of anything there is
            event = {**event, "seq": client.seq + 100}
        with house.fault("a push out of order", {client.conversation_id}):
            await layer.group_send(group, {"type": "conversation.event", "event": event})
        await asyncio.sleep(0.03)
    await client.answered(said)
    await layer.flush()


@scenario("100 reconnects")
async def reconnects(house: House) -> None:
    clients = await arrive(house, 4)
    said = [await ask(house, client) for client in clients]
    for number in range(25):
        for client in clients:
            with house.fault("connection dropped", {client.conversation_id}):
                await client.drop()
            if not number % 5:
                said.append(await ask(house, client))
        await asyncio.sleep(house.dice.uniform(0.05, 0.3))
    for client in clients:
        for one in list(client.said.values()):
            await client.answered(one)


@scenario("taken over in mid-stream")
async def taken_over(house: House) -> None:
    web = house.of("web")[0]
    staff = await asyncio.to_thread(sign_in, web)
    clients = await arrive(house, 8)
    for client in clients:
        said = await ask(house, client)
        await client.shows_text()
        await asyncio.sleep(house.dice.uniform(0.0, 0.2))
        with house.fault("taken over", {client.conversation_id}):
            await asyncio.to_thread(post, staff, web, f"/admin/inbox/{client.conversation_id}/claim/", {})
        await client.until(lambda client=client: client.status == "human", 60, "the take-over")  # type: ignore[misc]
        await client.answered(said)
        later = await client.say("Are you there?")
        await client.acknowledged(later)


@scenario("one of two runners dies with 50 turns in flight")
async def fifty_in_flight(house: House) -> None:
    await all_ready(house)
    clients = await arrive(house, 50)
    tags = [house.tag(client) for client in clients]
    held = [Held() for _ in clients]
    for tag, one in zip(tags, held, strict=True):
        house.model.script(tag).holds[ANSWER_CALL] = one
    said = [await ask(house, client, tag) for client, tag in zip(clients, tags, strict=True)]
    await house.until(lambda: all(one.arrived.is_set() for one in held), 120, "50 turns in flight")
    for waiting in held:
        waiting.release()
    runner = max(house.of("runner"), key=lambda process: len(house.run_by(process)))
    lost = await asyncio.to_thread(house.run_by, runner)
    fault = await asyncio.to_thread(house.kill, runner, lost)
    seconds = await taken_over_after(house, fault, runner.pid)
    house.figures.notes["50 turns in flight"] = f"{len(lost)} of a killed runner's were taken over in {seconds:.1f} s"
    for client, message in zip(clients, said, strict=True):
        await client.answered(message)


async def taken_over_after(house: House, fault: Fault, pid: int) -> float:
    """Seconds until none of the dead runner's turns is its own any more."""
    theirs = "SELECT 1 FROM support_agent_turn WHERE state = 'running' AND conversation_id = ANY(%s::uuid[]) \
        AND attempt = 1"
    ids = list(fault.whose or ())
    await house.until(lambda: not house.rows(theirs, ids), 30, f"the take-over of the turns of {pid}")
    return time.monotonic() - fault.over


def sign_in(web: Process) -> OpenerDirector:
    """A member of staff's browser."""
    cookies = CookieJar()
    staff = build_opener(HTTPCookieProcessor(cookies))
    staff.cookies = cookies  # type: ignore[attr-defined]
    staff.open(f"{web.url}/admin/login/", timeout=60).close()
    post(staff, web, "/admin/login/", {"username": "agent", "password": PASSWORD, "next": "/admin/inbox/"})
    return staff


def post(staff: OpenerDirector, web: Process, path: str, values: dict[str, str]) -> None:
    token = next(cookie.value for cookie in staff.cookies if cookie.name == "csrftoken")  # type: ignore[attr-defined]
    request = Request(web.url + path, data=urlencode({**values, "csrfmiddlewaretoken": token}).encode())
    request.add_header("Referer", web.url + path)
    with staff.open(request, timeout=60) as answer:
        assert "/admin/login/" not in answer.url, "the member of staff could not sign in"
