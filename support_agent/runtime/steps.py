"""Steps as rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.db.models import Max

from support_agent.agent.types import StepRecord
from support_agent.models import Step, Turn
from tickets.sql import as_json, as_rows, inserted

DIED = "the runner died"  # the error of the step that stands for a call nobody heard the end of


def storable(value: Any) -> Any:
    """JSON as PostgreSQL keeps it: without NUL, and without half surrogates."""
    return json.loads(as_json(value))


def free_index(turn: Turn) -> int:
    """The index after the last one written of this turn."""
    highest = Step.objects.filter(turn=turn).aggregate(highest=Max("index"))["highest"]
    return 0 if highest is None else highest + 1


def insert_steps(turn: Turn, records: Sequence[StepRecord], *, attempt: int | None = None) -> None:
    """Write the steps of one checkpoint in one statement; `attempt` is another's when it is charged afterwards."""
    inserted(Step, step_rows(turn, records, turn.attempt if attempt is None else attempt))


def step_rows(turn: Turn, records: Sequence[StepRecord], attempt: int) -> str:
    """The records as `inserted` takes them."""
    return as_rows(
        [
            Step(
                turn=turn,
                attempt=attempt,
                index=record.index,
                kind=record.kind.value,
                model=record.model,
                tool=record.tool[:64],
                input=record.input,
                output=record.output,
                status=record.status,
                error=record.error,
                input_tokens=record.spend.usage.input_tokens,
                output_tokens=record.spend.usage.output_tokens,
                cache_read_tokens=record.spend.usage.cache_read_tokens,
                cache_write_tokens=record.spend.usage.cache_write_tokens,
                cost_usd=record.spend.cost_usd,
                cost_estimated=record.spend.estimated,
                duration_ms=record.duration_ms,
                ttft_ms=record.ttft_ms,
            )
            for record in records
        ]
    )
