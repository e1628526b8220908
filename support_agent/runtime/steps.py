"""Steps as rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.db.models import Max
from django.utils import timezone

from support_agent.agent.types import StepRecord
from support_agent.models import Step, Turn
from tickets.ids import new_id
from tickets.sql import as_json, prepared

DIED = "the runner died"  # the error of the step that stands for a call nobody heard the end of
_INSERT = """
INSERT INTO support_agent_step
SELECT * FROM jsonb_populate_recordset(NULL::support_agent_step, %(steps)s::jsonb)
"""


def storable(value: Any) -> Any:
    """JSON as PostgreSQL keeps it: without NUL, and without half surrogates."""
    return json.loads(as_json(value))


def free_index(turn: Turn) -> int:
    """The index after the last one written of this turn."""
    highest = Step.objects.filter(turn=turn).aggregate(highest=Max("index"))["highest"]
    return 0 if highest is None else highest + 1


def insert_steps(turn: Turn, records: Sequence[StepRecord], *, attempt: int | None = None) -> None:
    """Write the steps of one checkpoint in one statement; `attempt` is another's when it is charged afterwards."""
    prepared(_INSERT, {"steps": as_rows(turn, records, turn.attempt if attempt is None else attempt)})


def as_rows(turn: Turn, records: Sequence[StepRecord], attempt: int) -> str:
    """The records as a JSON array in the words of the table's columns."""
    now = timezone.now()
    rows = [
        {
            "id": new_id(),
            "created_at": now,
            "turn_id": turn.pk,
            "index": record.index,
            "attempt": attempt,
            "kind": record.kind.value,
            "model": record.model,
            "tool": record.tool[:64],
            "input": record.input,
            "output": record.output,
            "status": record.status,
            "error": record.error,
            "input_tokens": record.spend.usage.input_tokens,
            "output_tokens": record.spend.usage.output_tokens,
            "cache_read_tokens": record.spend.usage.cache_read_tokens,
            "cache_write_tokens": record.spend.usage.cache_write_tokens,
            "cost_usd": str(record.spend.cost_usd),
            "cost_estimated": record.spend.estimated,
            "duration_ms": record.duration_ms,
            "ttft_ms": record.ttft_ms,
        }
        for record in records
    ]
    return as_json(rows)
