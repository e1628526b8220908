"""Scripted ports: a turn of the engine in memory, without model, database or clock."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from support_agent.agent.config import EngineConfig
from support_agent.agent.errors import LimitReached
from support_agent.agent.loop import run_turn
from support_agent.agent.types import (
    Block,
    Json,
    ModelFailure,
    ModelReply,
    ModelRequest,
    OnText,
    Outcome,
    Ports,
    Spend,
    StepKind,
    StepRecord,
    Surface,
    Tier,
    ToolUse,
    TurnInput,
    TurnState,
    Usage,
)

PRICE = Decimal("0.01")
SPEND = Spend(Usage(100, 20), PRICE)
PLAN: Json = {
    "goal": "Know about an order.",
    "topic": "order status",
    "subject": "orders",
    "in_scope": True,
    "complexity": "medium",
    "confidence": 0.9,
    "steps": [{"type": "gather_info", "priority": "required", "description": "Look it up."}],
    "is_complete": False,
}


def text(words: str) -> Block:
    return {"type": "text", "text": words}


def use(name: str = "lookup_order", id: str = "toolu_1", **arguments: Any) -> Block:
    return {"type": "tool_use", "id": id, "name": name, "input": arguments}


def reply(*blocks: Block, stop: str = "", spend: Spend = SPEND) -> ModelReply:
    reason = stop or ("tool_use" if any(block["type"] == "tool_use" for block in blocks) else "end_turn")
    return ModelReply("claude-test", list(blocks), reason, spend, 10, 5)


def says(words: str, *, stop: str = "") -> ModelReply:
    return reply(text(words), stop=stop)


def plans(**changes: Any) -> ModelReply:
    return says(json.dumps({**PLAN, **changes}))


def breaks(words: str = "", kind: str = "broken_stream") -> Callable[[OnText | None], Any]:
    """A call that fails after it has streamed `words`."""

    async def fail(on_text: OnText | None) -> ModelReply:
        if words and on_text is not None:
            await on_text(words)
        raise ModelFailure(kind, "it broke", spend=SPEND, text_shown=bool(words))

    return fail


Line = ModelReply | Callable[[OnText | None], Any]


@dataclass
class World:
    """Every port; `asked` the requests, `records` the steps, `messages` what was shown of each message in turn."""

    lines: list[Line]
    results: Json = field(default_factory=dict)  # by tool; a list gives one result a call
    chunk: int = 7
    stop: str = ""
    limit: str = ""  # LimitReached of this kind before the call number `limit_at`
    limit_at: int = 0
    tight: bool = False
    tokens_left: int = 100_000
    asked: list[ModelRequest] = field(default_factory=list)
    records: list[StepRecord] = field(default_factory=list)
    checkpoints: list[Json] = field(default_factory=list)
    messages: list[str] = field(default_factory=lambda: [""])
    reserved: list[Decimal] = field(default_factory=list)
    charged: Decimal = Decimal(0)
    tool_calls: list[ToolUse] = field(default_factory=list)

    @property
    def shown(self) -> str:
        return self.messages[-1]

    def kinds(self) -> list[str]:
        return [f"{record.kind.value}:{record.status}" for record in self.records]

    async def call(self, request: Any, *rest: Any) -> Any:
        """Model and tools share the name."""
        return await (self._tool(request) if isinstance(request, ToolUse) else self._model(request, *rest))

    async def _model(self, request: ModelRequest, on_text: OnText | None = None) -> ModelReply:
        self.asked.append(copy.deepcopy(request))
        line = self.lines.pop(0)
        if not isinstance(line, ModelReply):
            answer: ModelReply = await line(on_text)
            return answer
        if on_text is not None:
            for start in range(0, len(line.text), self.chunk):
                await on_text(line.text[start : start + self.chunk])
        return line

    async def _tool(self, wish: ToolUse) -> Json:
        self.tool_calls.append(wish)
        result = self.results.get(wish.name, {"status": "success"})
        if isinstance(result, list):
            result = result.pop(0)
        return copy.deepcopy(result)

    def model_id(self, tier: Tier) -> str:
        return f"claude-{tier.value}"

    def worst_case_usd(self, request: ModelRequest) -> Decimal:
        return Decimal("0.05")

    def schemas(self, names: Sequence[str]) -> list[Json]:
        return [{"name": name} for name in names]

    def label(self, name: str) -> str:
        return name

    async def steps(self, records: Sequence[StepRecord], state: TurnState) -> None:
        await asyncio.sleep(0)
        self.records.extend(records)
        self.checkpoints.append(json.loads(json.dumps(_plain(state), default=str)))

    async def activity(self, state: Literal["thinking", "tool", "writing", "idle"], label: str = "") -> None: ...

    async def show(self, text: str) -> None:
        self.messages[-1] += text

    async def retract(self) -> None:
        self.messages.append("")

    async def reserve(self, usd: Decimal, tokens: int) -> None:
        if self.limit and len(self.asked) >= self.limit_at:
            raise LimitReached(self.limit)
        await asyncio.sleep(0)
        self.reserved.append(usd)

    async def settle(self, reserved_usd: Decimal, spend: Spend) -> None:
        await asyncio.sleep(0)
        self.reserved.remove(reserved_usd)
        self.charged += spend.cost_usd

    def remaining(self) -> tuple[Decimal, int]:
        return Decimal("0.5"), self.tokens_left

    def is_tight(self) -> bool:
        return self.tight

    def requested(self) -> str:
        return self.stop

    def ports(self) -> Ports:
        return Ports(model=self, tools=self, steps=self, text=self, budget=self, stop=self)

    async def run(self, turn: TurnInput | None = None, state: TurnState | None = None, **config: Any) -> Outcome:
        """The turn's outcome; afterwards nothing is reserved and every cent is both recorded and charged."""
        try:
            outcome = await run_turn(turn or asks(), self.ports(), EngineConfig(**config), state)
        finally:
            assert self.reserved == []
            assert sum((r.spend.cost_usd for r in self.records), Decimal(0)) == self.charged
        return outcome

    def step(self, kind: StepKind) -> StepRecord:
        return next(record for record in self.records if record.kind is kind)


def world(*lines: Line, **fields: Any) -> World:
    return World(list(lines), **fields)


def asks(words: str = "I would like to know everything about my order.", **fields: Any) -> TurnInput:
    given: Json = {
        "turn_id": UUID(int=1),
        "conversation_id": UUID(int=2),
        "surface": Surface.SIGNED_IN,
        "verified": True,
        "locale": "en",
        "text": words,
        "notice": "today: 2026-11-21 (Saturday), 10:00 UTC",
        **fields,
    }
    return TurnInput(**given)


def _plain(state: TurnState) -> Json:
    return {name: getattr(state, name) for name in TurnState.__dataclass_fields__}
