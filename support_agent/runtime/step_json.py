"""A step as JSON, in the shape of the contract's export: from a row, or from what the engine records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from support_agent.agent.types import StepRecord
from support_agent.models import Step
from support_agent.runtime.steps import storable

Json = dict[str, Any]


def of_row(step: Step) -> Json:
    """A recorded step; what it has not is left out."""
    found: Json = {
        "index": step.index,
        "kind": step.kind,
        "input": step.input,
        "output": step.output,
        "input_tokens": step.input_tokens,
        "output_tokens": step.output_tokens,
        "cache_read_tokens": step.cache_read_tokens,
        "cache_write_tokens": step.cache_write_tokens,
        "cost_usd": float(step.cost_usd),
        "duration_ms": step.duration_ms,
        "status": step.status,
    }
    return found | _given(step)


def of_record(record: StepRecord) -> Json:
    """A step that was just taken."""
    usage = record.spend.usage
    found: Json = {
        "index": record.index,
        "kind": record.kind.value,
        "input": record.input,
        "output": record.output,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "cost_usd": float(record.spend.cost_usd),
        "duration_ms": record.duration_ms,
        "status": record.status,
    }
    return storable(found | _given(record))  # type: ignore[no-any-return]


def in_order(steps: Iterable[Step]) -> list[Step]:
    """One step an index: of a turn that several runners took up, what the last of them did."""
    latest: dict[int, Step] = {}
    for step in sorted(steps, key=lambda step: step.attempt):
        latest[step.index] = step
    return [latest[index] for index in sorted(latest)]


def _given(step: Step | StepRecord) -> Json:
    optional = {"model": step.model, "tool": step.tool, "error": step.error, "ttft_ms": step.ttft_ms}
    return {name: value for name, value in optional.items() if value not in ("", None)}
