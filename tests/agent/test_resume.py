"""A turn goes on from any of its checkpoints as if nothing had happened."""

from __future__ import annotations

from typing import Any

import pytest

from support_agent.agent.types import Json, ModelReply, StepKind, TurnState
from tests.agent.ports import World, asks, plans, reply, says, text, use, world

THOUGHT = {"type": "thinking", "thinking": "", "signature": "s"}
ORDER = {"status": "success", "order": {"order_number": "AP-104233", "total": "180.00"}}
SCRIPT = (
    plans(),
    reply(THOUGHT, text("Let me look."), use(order_number="AP-104233")),
    says("You get $99.00."),
    reply(THOUGHT, use(id="toolu_2", order_number="AP-104234")),
    says("It came to 180.00."),
)
FINAL = "Let me look.\n\nIt came to 180.00."


def fresh(*lines: Any) -> World:
    return world(*lines, results={"lookup_order": ORDER})


async def whole() -> World:
    at = fresh(*SCRIPT)
    assert (await at.run()).text == FINAL
    return at


@pytest.mark.parametrize("checkpoint", range(7))
async def test_from_every_checkpoint_to_the_same_answer(checkpoint: int) -> None:
    before = await whole()
    assert len(before.checkpoints) == 7
    state = TurnState(**before.checkpoints[checkpoint])
    made = sum(1 for record in before.records[: state.next_index] if record.spend.cost_usd)
    again = fresh(*SCRIPT[made:])
    outcome = await again.run(state=TurnState(**before.checkpoints[checkpoint]))
    assert outcome.text == again.shown == FINAL
    assert again.lines == []
    steps = [*before.records[: state.next_index], *again.records]
    assert [(step.index, step.kind) for step in steps] == [(step.index, step.kind) for step in before.records]


async def test_a_plan_is_not_made_twice() -> None:
    before = await whole()
    again = fresh(*SCRIPT[1:])
    await again.run(state=TurnState(**before.checkpoints[0]))
    assert StepKind.PLAN not in {record.kind for record in again.records}
    assert "plan: subject orders" in again.asked[0].messages[-1]["content"]


async def test_a_fast_turn_can_be_resumed_at_once() -> None:
    first = fresh(says("Hello."))
    await first.run(asks("hi"))
    again = fresh(says("Hello."))
    assert (await again.run(asks("hi"), TurnState(**first.checkpoints[0]))).text == "Hello."


async def test_thinking_of_before_is_not_sent_again() -> None:
    before = await whole()
    again = fresh(*SCRIPT[3:])
    await again.run(state=TurnState(**before.checkpoints[3]))  # after the rejected call
    assert not any(block == THOUGHT for message in again.asked[0].messages for block in _blocks(message))
    assert any(block == THOUGHT for message in again.asked[1].messages for block in _blocks(message))


async def test_a_notice_survives() -> None:
    loop: list[ModelReply] = [reply(use(id=str(n))) for n in range(3)]
    before = fresh(plans(), *loop, says("I stop."))
    await before.run()
    noticed = next(kept for kept in before.checkpoints if kept["noticed"])
    again = fresh(says("I stop."))
    assert (await again.run(state=TurnState(**noticed))).state == "answered"
    assert "The result will not change" in again.asked[0].messages[-1]["content"]


def _blocks(message: Json) -> list[Json]:
    return message["content"] if isinstance(message["content"], list) else []
