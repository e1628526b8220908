"""When each step of a turn ran: bars on a time axis, as per cent of its width."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.utils import timezone

from support_agent.agent.types import StepKind
from support_agent.models import Step, Turn

WIDTH = 100.0
NARROWEST = 0.4  # so that a step of no time is still seen
TICKS = 5
_ROUND = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Bar:
    """`wait` is the part until a model's first token; `beside` how many tool calls ran at once, 0 for alone."""

    step: Step
    offset_ms: int
    x: float
    width: float
    wait: float
    beside: int


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    ms: int


@dataclass(frozen=True, slots=True)
class Waterfall:
    total_ms: int
    bars: list[Bar]
    ticks: list[Tick]
    now: float | None  # while the turn runs: from where on the bar of what is being done reaches

    @classmethod
    def of(cls, turn: Turn | None, steps: list[Step]) -> Waterfall | None:
        """None without a turn. A step's row is written when it ends, so it began its duration earlier."""
        if turn is None:
            return None
        starts = dict(_starts(steps))
        runs = turn.state == Turn.State.RUNNING
        begin = min([turn.started_at or turn.created_at, *starts.values()])
        ends = [starts[step.pk] + timedelta(milliseconds=step.duration_ms) for step in steps]
        last = max([begin, *ends])
        end = max([turn.finished_at or begin, timezone.now() if runs else begin, last])
        total = max(_ms(end - begin), 1)
        beside = _beside(steps)
        bars = []
        for step in steps:
            offset = _ms(starts[step.pk] - begin)
            x = round(min(offset / total * WIDTH, WIDTH - NARROWEST), 2)
            width = round(min(max(step.duration_ms / total * WIDTH, NARROWEST), WIDTH - x), 2)
            wait = min(round((step.ttft_ms or 0) / total * WIDTH, 2), width)
            bars.append(Bar(step, offset, x, width, wait, beside.get(step.pk, 0)))
        now = round(_ms(last - begin) / total * WIDTH, 2) if runs else None
        return cls(total, bars, list(_ticks(total)), now)


def batches(steps: list[Step]) -> Iterator[list[Step]]:
    """The tool calls that one reply of the model asked for: they run together, and follow each other as steps."""
    for (kind, _), group in groupby(steps, key=lambda step: (step.kind, step.attempt)):
        if kind == StepKind.TOOL_CALL:
            yield list(group)


def _starts(steps: list[Step]) -> Iterator[tuple[object, datetime]]:
    """Tool calls of one batch began together and are written down together, when the slowest is done."""
    for step in steps:
        yield step.pk, step.created_at - timedelta(milliseconds=step.duration_ms)
    for batch in batches(steps):
        first = min(step.created_at - timedelta(milliseconds=step.duration_ms) for step in batch)
        yield from ((step.pk, first) for step in batch)


def _beside(steps: list[Step]) -> dict[object, int]:
    return {step.pk: len(batch) for batch in batches(steps) if len(batch) > 1 for step in batch}


def _ticks(total_ms: int) -> Iterator[Tick]:
    """About five marks at round times; the axis begins at nought and has none at its very end."""
    rough, size = total_ms / TICKS, 1
    while size * _ROUND[-1] < rough:
        size *= 10
    step = next((size * factor for factor in _ROUND if size * factor >= rough), size * 10)
    yield from (Tick(round(ms / total_ms * WIDTH, 2), ms) for ms in range(0, int(total_ms * 0.96) + 1, step))


def _ms(length: timedelta) -> int:
    return round(length.total_seconds() * 1000)
