"""What a replay's engine reaches the world through: the original's own calls first, then the model; its own budget;
nobody to read along; steps that land in the replay's row.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from support_agent.agent.calls import THINKING
from support_agent.agent.config import EngineConfig, Limits
from support_agent.agent.errors import LimitReached
from support_agent.agent.types import (
    ZERO,
    Block,
    ModelFailure,
    ModelPort,
    ModelReply,
    ModelRequest,
    OnText,
    Spend,
    StepKind,
    StepRecord,
    Surface,
    Tier,
    TurnState,
)
from support_agent.models import Replay, Step
from support_agent.runtime.budgets import Total, reserve_totals, settle_totals
from support_agent.runtime.replay_tools import TAKEN, ReplayTools
from support_agent.runtime.step_json import of_record, of_row
from tickets.db import in_db

Json = dict[str, Any]
MODEL_KINDS = {StepKind.PLAN.value, StepKind.MODEL_CALL.value, StepKind.COMPRESS.value}


class TakeOver:
    """The original's steps before the first that is run anew. It ends early when the code of today goes another way."""

    def __init__(self, steps: Sequence[Step], until: int) -> None:
        self.by_index = {step.index: step for step in steps if step.index < until}
        self._calls = deque(
            step for step in self.by_index.values() if step.kind in MODEL_KINDS and step.model and step.status != "cut"
        )
        self.parted_at: int | None = None

    @property
    def has_call(self) -> bool:
        return bool(self._calls)

    def next_call(self, kind: str) -> Step | None:
        """The original's next model call, if it was of this kind; else the ways part."""
        if not self._calls:
            return None
        if self._calls[0].kind != kind:
            self.part(self._calls[0].index)
            return None
        return self._calls.popleft()

    def part(self, index: int) -> None:
        self.parted_at = index if self.parted_at is None else self.parted_at
        self._calls.clear()

    def step_at(self, record: StepRecord) -> Step | None:
        """The original of a step that was taken over; None for one that is new."""
        original = self.by_index.get(record.index)
        if original is None or self.parted_at is not None:
            return None
        if (original.kind, original.tool) != (record.kind.value, record.tool):
            self.part(record.index)
            return None
        return original


class ReplayModel:
    """The engine's ModelPort: recorded replies while there are any, at no cost; then the model itself."""

    def __init__(self, model: ModelPort, taken: TakeOver, config: EngineConfig) -> None:
        self._model, self._taken, self._memory = model, taken, config.prompt("memory").text

    def model_id(self, tier: Tier) -> str:
        return self._model.model_id(tier)

    def worst_case_usd(self, request: ModelRequest) -> Decimal:
        return self._model.worst_case_usd(request)

    async def call(self, request: ModelRequest, on_text: OnText | None = None) -> ModelReply:
        step = self._taken.next_call(self._kind(request))
        if step is None:
            return await self._model.call(request, on_text)
        content = _content(step)
        if step.status == "failed" and not content:
            kind, _, detail = step.error.partition(": ")
            raise ModelFailure(kind, detail, model=step.model, duration_ms=step.duration_ms)
        reply = ModelReply(
            model=step.model,
            content=content,
            stop_reason=str(step.output.get("stop_reason", "end_turn")),
            spend=Spend(),
            duration_ms=step.duration_ms,
            ttft_ms=step.ttft_ms,
        )
        if on_text is not None and reply.text:
            await on_text(reply.text)
        return reply

    def _kind(self, request: ModelRequest) -> str:
        if request.output_schema is not None:
            return StepKind.PLAN.value
        return StepKind.COMPRESS.value if request.system == self._memory else StepKind.MODEL_CALL.value


def _content(step: Step) -> list[Block]:
    """What the model had said, as the step keeps it."""
    output = step.output
    if step.kind == StepKind.MODEL_CALL:
        # Thinking is bound to its model and prompt, and either may be another now.
        return [block for block in output.get("content", []) if block["type"] not in THINKING]
    if not output:
        return []
    text = output.get("summary", "") if step.kind == StepKind.COMPRESS else json.dumps(output, ensure_ascii=False)
    return [{"type": "text", "text": text}]


class Purse:
    """What the replays of a blast radius may cost together, in USD; `reached` names the limit that emptied it."""

    def __init__(self, usd: Decimal) -> None:
        self._left = usd
        self.reached = ""

    def take(self, usd: Decimal) -> bool:
        if usd > self._left:
            return False
        self._left -= usd
        return True

    def give_back(self, usd: Decimal) -> None:
        self._left += usd


class ReplayBudget:
    """The engine's BudgetPort: the surface *background* and the system's hour, never the customer's own totals.

    It never asks for a cheaper model, which would falsify the comparison; the hard limits hold.
    """

    def __init__(self, replay: Replay, limits: Limits, taken: TakeOver, purse: Purse | None = None) -> None:
        self._replay, self._limits, self._taken, self._purse = replay, limits, taken, purse
        self._spent, self._tokens = ZERO, 0
        self.reached = ""  # the limit that ended it

    def remaining(self) -> tuple[Decimal, int]:
        return max(ZERO, self._limits.turn - self._spent), max(0, self._limits.turn_tokens - self._tokens)

    def is_tight(self) -> bool:
        return False

    async def reserve(self, usd: Decimal, tokens: int) -> None:
        if self._taken.has_call:  # answered from the record
            return
        usd_left, tokens_left = self.remaining()
        for limit, over in (
            ("step", usd > self._limits.step),
            ("turn", usd > usd_left),
            ("tokens", tokens > tokens_left),
        ):
            if over:
                self._refuse(limit)
        if self._purse is not None and not self._purse.take(usd):
            self._purse.reached = "radius"
            self._refuse("radius")
        try:
            await in_db(self._reserve, usd)
        except LimitReached as reached:
            if self._purse is not None:
                self._purse.give_back(usd)
                self._purse.reached = reached.limit
            self._refuse(reached.limit)

    async def settle(self, reserved_usd: Decimal, spend: Spend) -> None:
        self._spent += spend.cost_usd
        self._tokens += spend.usage.total
        if self._purse is not None:
            self._purse.give_back(reserved_usd - spend.cost_usd)
        await in_db(settle_replay, self._replay, spend.cost_usd)

    def _refuse(self, limit: str) -> None:
        self.reached = limit
        raise LimitReached(limit)

    def _reserve(self, usd: Decimal) -> None:
        now = datetime.now(UTC)
        totals = []
        if self._limits.surface_day is not None:
            totals.append(Total("surface", Surface.BACKGROUND.value, now.date().isoformat(), self._limits.surface_day))
        totals.append(Total("system", "all", now.strftime("%Y%m%d%H"), self._limits.system_hour))
        reserve_totals(totals, usd)
        rows = [[total.scope, total.key, total.period] for total in totals]
        self._replay.reservation = {"usd": str(usd), "rows": rows}
        Replay.objects.filter(pk=self._replay.pk).update(reservation=self._replay.reservation)


def settle_replay(replay: Replay, cost_usd: Decimal) -> None:
    """Replace what the call in flight had reserved by what it cost; without a reservation nothing happens."""
    reservation, replay.reservation = replay.reservation, None
    if reservation is not None and Replay.objects.filter(pk=replay.pk).update(reservation=None):
        settle_totals(reservation["rows"], Decimal(reservation["usd"]), cost_usd)


class ReplaySteps:
    """The engine's StepSink: the steps in the export's shape, each with how it came about, kept as they come."""

    def __init__(self, replay: Replay, tools: ReplayTools, taken: TakeOver) -> None:
        self._replay, self._tools, self._taken = replay, tools, taken
        self._writing = asyncio.Lock()
        self.steps_taken: list[Json] = []
        self.spend = Spend()

    async def steps(self, records: Sequence[StepRecord], state: TurnState) -> None:
        for record in records:
            original = self._taken.step_at(record)
            if original is not None:
                self.steps_taken.append(of_row(original) | {"how": TAKEN})
                continue
            how = self._tools.how(record.output) if record.kind == StepKind.TOOL_CALL else ""
            self.steps_taken.append(of_record(record) | ({"how": how} if how else {}))
            self.spend += record.spend
        async with self._writing:
            await in_db(self._keep)

    def _keep(self) -> None:
        usage = self.spend.usage
        Replay.objects.filter(pk=self._replay.pk).update(
            steps=self.steps_taken,
            input_tokens=usage.prompt_tokens,
            output_tokens=usage.output_tokens,
            cost_usd=self.spend.cost_usd,
        )


class Unread:
    """The engine's TextSink: what would stand before the customer's eyes, shown to nobody."""

    def __init__(self) -> None:
        self.shown = ""

    async def activity(self, state: Literal["thinking", "tool", "writing", "idle"], label: str = "") -> None:
        return

    async def show(self, text: str) -> None:
        self.shown += text

    async def retract(self) -> None:
        self.shown = ""


class NeverStopped:
    """The engine's StopPort: nobody ends a replay from outside."""

    def requested(self) -> str:
        return ""
