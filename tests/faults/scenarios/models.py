"""The model's API failing in every way it can: error responses, streams that break, hang or lie, a bad line to it."""

from __future__ import annotations

import asyncio

from tests.fakes.replies import Reply, calls, fails, overloaded, plans, rate_limited, says, server_error
from tests.faults.house import House
from tests.faults.model import ANSWER, ANSWER_CALL, PLAN, PLAN_CALL, TOOL_CALL, new_tag, ticket
from tests.faults.registry import arrive, ask, busy, scenario

ENDS = ("answered", "escalated")


def usual(number: int, tag: str) -> Reply:
    if number == PLAN_CALL:
        return plans(PLAN)
    return calls("create_ticket", ticket(tag)) if number == TOOL_CALL else says(ANSWER, chunk_chars=7)


def failing(number: int, tag: str) -> dict[str, Reply]:
    """Each way in which the n-th request of a turn can fail."""
    good = usual(number, tag)
    errors = {
        "429 with a retry-after of 1 s": rate_limited("1"),
        "429 with a retry-after of an hour": rate_limited("3600"),
        "500": server_error(),
        "502 without a body of ours": fails(502, "api_error", "Bad gateway"),
        "529": overloaded(),
        "hangs before a word": good.ends("hang"),
    }
    if number == PLAN_CALL:  # not streamed
        return errors | {"cut in the middle of the plan": good.ends("cut"), "no plan at all": says("I do not plan.")}
    return errors | {
        "cut in the middle of an event": good.ends("cut", after=3),
        "cut in the middle of a word": good.ends("cut", after=9 if number == ANSWER_CALL else 4),
        "closed early": good.ends("closed", after=4),
        "an error event in the stream": good.ends("error", after=4),
        "hangs in the middle": good.ends("hang", after=4),
        "arguments that are no JSON": calls("create_ticket", '{"customer_email": "someone@exa'),
        "arguments of the wrong kind": calls("create_ticket", {"customer_email": 7}),
        "a tool that is not there": calls("drop_all_tables", {"now": True}),
        "nothing said": Reply([], stop_reason="end_turn"),
    }


@scenario("model failing in every way, at every call")
async def model_failing(house: House) -> None:
    """Each way for a customer of its own, all at once."""
    wanted = [(number, kind) for number in (PLAN_CALL, TOOL_CALL, ANSWER_CALL) for kind in failing(number, new_tag())]
    clients = await arrive(house, len(wanted))
    said = []
    for client, (number, kind) in zip(clients, wanted, strict=True):
        tag = house.tag(client)
        house.plan_fault(client, tag, number, failing(number, tag)[kind], f"model: {kind}")
        said.append(await ask(house, client, tag))
    for client, one, (number, kind) in zip(clients, said, wanted, strict=True):
        await client.answered(one)
        assert one.state in ENDS, f"{kind} at call {number}: the turn {one.state}"


@scenario("model failing again and again")
async def model_down(house: House) -> None:
    """Whatever is asked fails: every turn ends with a person, and none is lost."""
    kinds = [rate_limited("3600"), server_error(), overloaded(), says(ANSWER).ends("cut", after=5)]
    clients = await arrive(house, len(kinds))
    said = []
    for client, reply in zip(clients, kinds, strict=True):
        tag = house.tag(client)
        for number in range(1, 40):
            house.plan_fault(client, tag, number, reply, "model down")
        said.append(await ask(house, client, tag))
    for client, one in zip(clients, said, strict=True):
        await client.answered(one)
        assert one.state == "escalated", f"the turn {one.state}"


@scenario("line to the model slow, dead, reset or cut")
async def model_line(house: House) -> None:
    line = house.to_model
    async with busy(house, 6):
        for _ in range(4):
            await asyncio.sleep(house.dice.uniform(0.5, 1.5))
            with house.fault("connections to the model reset"):
                line.reset()
        for after in (0, 300, 1500, 4000):
            with house.fault("connection to the model cut"):
                line.cut_after = after
                await asyncio.sleep(1.0)
        with house.fault("line to the model slow"):
            line.latency_s, line.bytes_per_s = 0.1, 20_000
            await asyncio.sleep(4.0)
            line.heal()
        with house.fault("line to the model dead"):
            line.dead = True
            await asyncio.sleep(4.0)
            line.heal()
        with house.fault("model refuses connections"):
            line.refusing = True
            line.reset()
            await asyncio.sleep(1.0)
            line.heal()
