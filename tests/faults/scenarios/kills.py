"""kill -9 of web, runner and worker, at every step boundary and at random moments."""

from __future__ import annotations

import asyncio

from tests.fakes.replies import calls, says
from tests.faults.client import Client, Said
from tests.faults.house import House
from tests.faults.model import ANSWER, ANSWER_CALL, PLAN_CALL, TOOL_CALL, Held, ticket
from tests.faults.registry import all_ready, arrive, ask, busy, scenario

TOGETHER = 4  # conversations that stand at the boundary when a runner dies
ROW = "SELECT 1 FROM support_agent_step s JOIN support_agent_turn t ON t.id = s.turn_id \
WHERE t.conversation_id = %s AND s.kind = %s"
EFFECT = "SELECT 1 FROM support_agent_toolcall WHERE conversation_id = %s"


@scenario("runner killed while the model is asked")
async def runner_while_asked(house: House) -> None:
    for number in (PLAN_CALL, TOOL_CALL, ANSWER_CALL):
        await all_ready(house)
        clients = await arrive(house, TOGETHER)
        tags = [house.tag(client) for client in clients]
        held = [Held() for _ in clients]
        for tag, one in zip(tags, held, strict=True):
            house.model.script(tag).holds[number] = one
        said = [await ask(house, client, tag) for client, tag in zip(clients, tags, strict=True)]
        await house.until(lambda: all(one.arrived.is_set() for one in held), 60, "the requests")  # noqa: B023
        await kill_runner_of(house, clients[0])
        for one in held:
            one.release()
        await all_answered(clients, said)


@scenario("runner killed in the middle of a stream")
async def runner_in_stream(house: House) -> None:
    for number, kept in ((TOOL_CALL, 4), (ANSWER_CALL, 2), (ANSWER_CALL, 16)):
        await all_ready(house)
        clients = await arrive(house, TOGETHER)
        tags = [house.tag(client) for client in clients]
        for tag in tags:
            whole = says(ANSWER, chunk_chars=16) if number == ANSWER_CALL else calls("create_ticket", ticket(tag))
            house.model.script(tag).faults[number] = whole.ends("hang", after=kept)
        said = [await ask(house, client, tag) for client, tag in zip(clients, tags, strict=True)]
        await house.until(lambda: all(house.model.asked(tag) >= number for tag in tags), 60, "the requests")  # noqa: B023
        if kept >= 12:
            await clients[0].shows_text()
        await kill_runner_of(house, clients[0])
        await all_answered(clients, said)


@scenario("runner killed as a step is written")
async def runner_at_rows(house: House) -> None:
    for kind in ("queued", "plan", "model_call", "effect", "tool_call", "critic", "ended"):
        await all_ready(house)
        clients = await arrive(house, TOGETHER)
        said = [await ask(house, client) for client in clients]
        first = clients[0]
        if kind == "queued":
            await first.acknowledged(said[0])
        elif kind == "ended":
            await first.answered(said[0])
        else:
            await house.until(lambda: written(house, first, kind), 60, f"a step {kind}")  # noqa: B023
        await kill_runner_of(house, first)
        await all_answered(clients, said)


@scenario("runner killed at random moments")
async def runner_at_random(house: House) -> None:
    async with busy(house, 8):
        for _ in range(5):
            await all_ready(house)
            await asyncio.sleep(house.dice.uniform(0.2, 2.0))
            await asyncio.to_thread(house.kill, house.dice.choice(house.of("runner")))
    await all_ready(house)


@scenario("web process killed at every boundary")
async def web_at_boundaries(house: House) -> None:
    for moment in ("said", "acknowledged", "asked", "written", "streaming", "ended"):
        await all_ready(house)
        client = (await arrive(house))[0]
        tag = house.tag(client)
        said = await ask(house, client, tag)
        if moment == "acknowledged":
            await client.acknowledged(said)
        elif moment == "asked":
            await house.until(lambda: house.model.asked(tag) >= TOOL_CALL, 60, "the request")  # noqa: B023
        elif moment == "written":
            await house.until(lambda: written(house, client, "tool_call"), 60, "the step")  # noqa: B023
        elif moment == "streaming":
            await client.shows_text()
        elif moment == "ended":
            await client.answered(said)
        web = next(web for web in house.of("web") if web.socket_url == client.base)
        await asyncio.to_thread(house.kill, web, {client.conversation_id})
        await client.answered(said)


@scenario("web process killed at random moments")
async def web_at_random(house: House) -> None:
    async with busy(house, 8):
        for _ in range(4):
            await all_ready(house)
            await asyncio.sleep(house.dice.uniform(0.2, 2.0))
            await asyncio.to_thread(house.kill, house.dice.choice(house.of("web")))
    await all_ready(house)


@scenario("worker killed with jobs waiting and running")
async def worker_with_jobs(house: House) -> None:
    """Customers ask for a person, and the mail that announces it is a job: it comes in the end, whatever was killed."""
    everybody: list[Client] = []
    for number in range(4):
        await all_ready(house)
        clients = await arrive(house, 3)
        everybody += clients
        for client in clients:
            await client.send({"type": "human"})
        if number % 2:
            await house.until(lambda: clients[0].status == "waiting", 60, "the escalation")  # noqa: B023
        else:
            await asyncio.sleep(house.dice.uniform(0.0, 0.3))
        await asyncio.to_thread(house.kill, house.of("worker")[0], {client.conversation_id for client in clients})
        said = [await ask(house, client) for client in clients]
        await all_answered(clients, said)
    ids = [client.conversation_id for client in everybody]
    open_ones = "SELECT 1 FROM tickets_escalation WHERE announced_at IS NULL AND conversation_id = ANY(%s::uuid[])"
    await house.until(lambda: not house.rows(open_ones, ids), 300, "the announcements")


def written(house: House, client: Client, kind: str) -> object:
    if kind == "effect":
        return house.rows(EFFECT, client.conversation_id)
    return house.rows(ROW, client.conversation_id, kind)


async def kill_runner_of(house: House, client: Client) -> None:
    """The one that runs this conversation's turn; any, when nobody does any more."""
    runner = await asyncio.to_thread(house.runner_of, client.conversation_id)
    await asyncio.to_thread(house.kill, runner or house.dice.choice(house.of("runner")))


async def all_answered(clients: list[Client], said: list[Said]) -> None:
    for client, message in zip(clients, said, strict=True):
        await client.answered(message)
