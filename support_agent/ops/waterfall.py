"""When each step of a turn ran: bars for a small SVG, as numbers of its own width."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from support_agent.models import Step, Turn

WIDTH = 1000
NARROWEST = 4  # so that a step of no time is still seen


@dataclass(frozen=True, slots=True)
class Bar:
    step: Step
    x: int
    width: int
    wait: int  # of the width: until a model's first token; 0 when nothing is known of it


@dataclass(frozen=True, slots=True)
class Waterfall:
    total_ms: int
    bars: list[Bar]

    @classmethod
    def of(cls, turn: Turn | None, steps: list[Step]) -> Waterfall | None:
        """None without a turn. A step's row is written when it ends, so it began its duration earlier."""
        if turn is None:
            return None
        begin = turn.started_at or turn.created_at
        if steps:
            begin = min(begin, min(_start(step) for step in steps))
        end = max([turn.finished_at or begin, *(step.created_at for step in steps)])
        total = max(round((end - begin).total_seconds() * 1000), 1)
        bars = []
        for step in steps:
            offset = (_start(step) - begin).total_seconds() * 1000
            width = max(round(step.duration_ms / total * WIDTH), NARROWEST)
            x = min(round(offset / total * WIDTH), WIDTH - NARROWEST)
            wait = round((step.ttft_ms or 0) / total * WIDTH) if step.ttft_ms else 0
            bars.append(Bar(step, x, min(width, WIDTH - x), min(wait, width)))
        return cls(total, bars)


def _start(step: Step) -> datetime:
    return step.created_at - timedelta(milliseconds=step.duration_ms)
