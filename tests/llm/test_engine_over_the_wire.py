"""The engine on the real client against the strict fake: no request of it is refused, and no cent is lost."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from support_agent.agent.config import EngineConfig
from support_agent.agent.loop import run_turn
from support_agent.agent.types import (
    Block,
    Json,
    Outcome,
    Ports,
    Spend,
    StepRecord,
    Surface,
    ToolUse,
    TurnInput,
    TurnState,
)
from tests.fakes.normal import Json as Body
from tests.fakes.replies import Reply, overloaded, plans, rate_limited, says, server_error, text, thinking, tool_use
from tests.fakes.server import PLAN
from tests.llm.conftest import SEARCH, MakeRig, Rig


class Desk:
    """Every port but the model's, in memory."""

    def __init__(self) -> None:
        self.records: list[StepRecord] = []
        self.shown = ""

    def schemas(self, names: Sequence[str]) -> list[Json]:
        return [{**SEARCH, "name": name} for name in names]

    async def call(self, use: ToolUse, offered: Sequence[str]) -> Json:
        return {"status": "success", "order_number": use.arguments.get("query", ""), "order_status": "shipped"}

    def label(self, name: str) -> str:
        return name

    async def steps(self, records: Sequence[StepRecord], state: TurnState) -> None:
        self.records.extend(records)

    async def activity(self, state: str, label: str = "") -> None: ...

    async def show(self, text: str) -> None:
        self.shown += text

    async def retract(self) -> None:
        self.shown = ""

    async def reserve(self, usd: Decimal, tokens: int) -> None: ...

    async def settle(self, reserved_usd: Decimal, spend: Spend) -> None: ...

    def remaining(self) -> tuple[Decimal, int]:
        return Decimal("1"), 100_000

    def is_tight(self) -> bool:
        return False

    def requested(self) -> str:
        return ""

    @property
    def cost_usd(self) -> Decimal:
        return sum((record.spend.cost_usd for record in self.records), Decimal())


async def turn(rig: Rig, words: str = "Something about my order is odd, can you look into it?") -> tuple[Outcome, Desk]:
    desk: Any = Desk()
    ports = Ports(model=rig.client, tools=desk, steps=desk, text=desk, budget=desk, stop=desk)
    history = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello! How can I help?"}]
    given = TurnInput(uuid4(), uuid4(), Surface.SIGNED_IN, True, "en", words, history, "date: 2026-11-21")
    return await run_turn(given, ports, EngineConfig()), desk


def looks(*before: Block, number: str = "AP-1") -> Reply:
    return Reply([*before, tool_use("lookup_order", {"query": number})])


SCRIPTS: dict[str, list[Reply]] = {
    "thinking in a loop": [
        plans(PLAN),
        looks(thinking("Let me see."), text("I will look.")),
        looks(thinking("Once more."), number="AP-2"),
        says("It has left our house."),
    ],
    "calls together": [
        plans(PLAN),
        Reply([text("\n"), tool_use("lookup_order", {"query": "a"}), tool_use("lookup_order", "{broken")]),
        says("Done."),
    ],
    "the same call again and again": [plans(PLAN), *(looks() for _ in range(4))],
    "an answer that is not backed": [plans(PLAN), looks(), says("You get 40 % off and 812.50 USD."), says("It left.")],
    "trouble before every call": [
        overloaded(),
        plans(PLAN),
        rate_limited(),
        looks(thinking("Hm.")),
        server_error(),
        says("It left."),
    ],
    "the next tier in the middle of a loop": [
        plans(PLAN),
        looks(thinking("Hm.")),
        *[overloaded() for _ in range(3)],
        looks(thinking("I am the larger model."), number="AP-2"),
        says("It left."),
    ],
    "a plan that is none": [says("I will not plan."), says("How can I help?")],
    "a stream that breaks": [plans(PLAN), says("It has left our house. " * 9).ends("cut", after=9), says("It left.")],
}


@pytest.mark.parametrize("name", SCRIPTS)
async def test_a_turn_sends_nothing_that_the_api_refuses(rig: MakeRig, name: str) -> None:
    at = rig(*SCRIPTS[name])
    outcome, desk = await turn(at)
    assert [refused.message for refused in at.api.refusals] == []
    assert outcome.text
    assert desk.cost_usd == outcome.spend.cost_usd
    if not any(record.spend.estimated for record in desk.records):
        assert desk.cost_usd == at.api.charged_usd


@pytest.mark.parametrize("seed", range(25))
async def test_whatever_the_model_says(rig: MakeRig, seed: int) -> None:
    chance = random.Random(seed)
    at = rig(*[lambda body: _anything(chance, body)] * 200)
    _, desk = await turn(at, chance.choice(["hi", "Where is AP-104233?", "I want my money back and a person!"]))
    assert [refused.message for refused in at.api.refusals] == []
    if not any(record.spend.estimated for record in desk.records):
        assert desk.cost_usd == at.api.charged_usd


def _anything(chance: random.Random, body: Body) -> Reply:
    """A random answer of the kinds that a model and its network can give."""
    if chance.random() < 0.15:
        return chance.choice([overloaded(), rate_limited(), server_error()])
    if (body.get("output_config") or {}).get("format"):
        return chance.choice([plans(PLAN), plans({**PLAN, "complexity": "complex"}), says("{")])
    words = chance.choice(["I look.", "It left on Monday.", "That costs 12.34 USD.", " ", "The end [1]. " * 30])
    names = [tool["name"] for tool in body.get("tools", [])] or ["none"]
    wishes = [tool_use(chance.choice(names), _arguments(chance)) for _ in range(chance.randint(0, 3))]
    parts = [part for part in ([thinking("Hm.")], [text(words)], wishes) if chance.random() < 0.7]
    reply = Reply([block for part in parts for block in part] or [text(words)])
    if chance.random() < 0.15:
        return reply.ends(chance.choice(["cut", "closed", "error"]), after=chance.randint(1, 6))
    return reply


def _arguments(chance: random.Random) -> Json | str:
    options: list[Json | str] = [{}, {"query": str(chance.randint(1, 3))}, "{oops", "[]"]
    return chance.choice(options)
