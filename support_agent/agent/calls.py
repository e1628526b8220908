"""One model call, whoever wants it: limits before, cost and step after, the next tier on failure."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from support_agent.agent.config import EngineConfig
from support_agent.agent.errors import LimitReached, TurnLost, TurnStopped
from support_agent.agent.observer import has_room
from support_agent.agent.routing import NEXT_TIER
from support_agent.agent.types import (
    Json,
    ModelFailure,
    ModelReply,
    ModelRequest,
    OnText,
    Ports,
    Spend,
    StepKind,
    StepRecord,
    Tier,
    TurnState,
    spend_before,
)

MIN_FALLBACK_S = 5.0
THINKING = {"thinking", "redacted_thinking"}


@dataclass(slots=True)
class Recorder:
    """Hands steps to the sink, in order, and keeps the turn's totals in its state."""

    ports: Ports
    state: TurnState
    config: EngineConfig
    reserved: Decimal | None = None  # for the call in flight; the record of that call settles it
    held: list[StepRecord] = field(default_factory=list)

    def next_index(self) -> int:
        index = self.state.next_index
        self.state.next_index += 1
        return index

    async def step(self, kind: StepKind, **fields: Any) -> None:
        await self.record([StepRecord(self.next_index(), kind, **fields)])

    def note(self, kind: StepKind, **fields: Any) -> None:
        """A step that cost nothing and would come out the same again: it is written with the next one."""
        self.held.append(StepRecord(self.next_index(), kind, **fields))

    async def record(self, records: Sequence[StepRecord]) -> None:
        """Checkpoint: whatever the steps changed must stand in `state` before this is called."""
        records, self.held = [*self.held, *records], []
        for record in records:
            self.state.tokens += record.spend.usage.total
            self.state.cost_usd = str(Decimal(self.state.cost_usd) + record.spend.cost_usd)
        spend = sum((record.spend for record in records), start=Spend())
        await to_its_end(self._write(records, spend))

    def check_stop(self) -> None:
        """Raises TurnStopped when somebody ended the turn."""
        if why := self.ports.stop.requested():
            raise TurnStopped(why)

    def check_room(self, steps: int) -> None:
        """Raises LimitReached when so many steps, and the two that judge and end, are over the cap."""
        if not has_room(self.state, self.config, steps):
            raise LimitReached("steps")

    async def _write(self, records: Sequence[StepRecord], spend: Spend) -> None:
        """The steps, then the turn's own budget, whatever became of the write."""
        reserved, self.reserved = self.reserved, None
        try:
            await self.ports.steps.steps(records, self.state)
        finally:
            if reserved is not None:
                await self.ports.budget.settle(reserved, spend)


async def to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Await `work` to its end even when cancelled meanwhile, and be cancelled then: accounts must be closed."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # the end that counts is ours; asyncio would log this one as forgotten
        raise


async def call_model(
    recorder: Recorder, kind: StepKind, request: ModelRequest, on_text: OnText | None = None
) -> ModelReply:
    """Reserve and call. Failed and cut calls are recorded here. Raises ModelFailure, LimitReached.

    The step of a call that succeeds is left to the caller, who knows what to say of its output; recording it is the
    very next thing to await, for it settles the budget too.
    """
    recorder.check_stop()
    recorder.check_room(1)
    model = recorder.ports.model
    reserved = model.worst_case_usd(request)
    started = time.perf_counter()
    try:
        await _reserve(recorder, reserved, request.max_tokens)
        return await model.call(request, on_text)
    except BaseException as error:  # a failure, a stop, a cancellation: what was spent is kept in any case
        if recorder.reserved is None:  # nothing was asked
            raise
        await recorder.step(
            kind,
            model=model.model_id(request.tier),
            input=summary_of(request),
            status="failed" if isinstance(error, ModelFailure) else "cut",
            error=str(error) or type(error).__name__,
            spend=spend_before(error),
            duration_ms=round((time.perf_counter() - started) * 1000),
        )
        raise


async def _reserve(recorder: Recorder, usd: Decimal, tokens: int) -> None:
    recorder.reserved = usd
    try:
        await to_its_end(recorder.ports.budget.reserve(usd, tokens))
    except (LimitReached, TurnLost):
        recorder.reserved = None
        raise


async def call_with_fallback(
    recorder: Recorder, kind: StepKind, request: ModelRequest, on_text: OnText | None = None
) -> ModelReply:
    """As call_model, and once more on the next tier when the first failed before any text. Raises the last failure.

    The turn stays on that tier, without the first one's thinking blocks: they are bound to their model and prefix.
    """
    started = time.perf_counter()
    try:
        return await call_model(recorder, kind, request, on_text)
    except ModelFailure as failure:
        tier = None if recorder.config.only_small else NEXT_TIER.get(request.tier)
        if tier is None or not failure.retryable or failure.text_shown:
            raise
        recorder.state.messages = without_thinking(recorder.state.messages)
        if recorder.state.tier:
            recorder.state.tier = tier
        left = recorder.config.failing_s - (time.perf_counter() - started)
        if left < MIN_FALLBACK_S:  # a person within a minute is better than a second wait
            raise
        again = replace(
            request,
            tier=tier,
            messages=without_thinking(request.messages),
            timeout_s=min(request.timeout_s, left),
        )
        return await call_model(recorder, kind, again, on_text)


def without_thinking(messages: Sequence[Json]) -> list[Json]:
    """The messages without thinking blocks."""
    return [
        message
        if isinstance(message["content"], str)
        else {**message, "content": [b for b in message["content"] if b["type"] not in THINKING]}
        for message in messages
    ]


def summary_of(request: ModelRequest) -> Json:
    """What a trace keeps of a request: its newest messages; the rest stands in the steps before."""
    return {
        "tier": Tier(request.tier).value,
        "tools": [tool["name"] for tool in request.tools],
        "messages": len(request.messages),
        "newest": list(request.messages[-2:]),
    }
