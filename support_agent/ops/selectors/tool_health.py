"""How every tool does: its calls and failures, how long they took, its breaker, and whether ops disabled it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import redis
from django.db.models import Count, Q

from support_agent.agent.toolkit import Status
from support_agent.models import ToolCall
from support_agent.ops.selectors.aggregates import Percentile
from support_agent.ops.spans import Span
from support_agent.runtime import tool_breakers
from support_agent.runtime.controls import tool_categories

NOTHING: dict[str, Any] = {"calls": 0, "errors": 0, "degraded": 0, "p50_ms": None, "p95_ms": None}


@dataclass(frozen=True, slots=True)
class ToolHealth:
    """One tool within a span; `breaker` is closed, open, half_open, or unknown while Redis is away."""

    name: str
    category: str  # '' for a name the model made up
    calls: int
    errors: int
    degraded: int
    p50_ms: int | None
    p95_ms: int | None
    breaker: str
    is_disabled: bool

    @property
    def failure_share(self) -> float | None:
        return (self.errors + self.degraded) / self.calls if self.calls else None

    @property
    def is_well(self) -> bool:
        return self.breaker in ("closed", "unknown") and not self.is_disabled and (self.failure_share or 0) <= 0.1


def tool_health(span: Span, disabled: frozenset[str]) -> list[ToolHealth]:
    """Every tool there is or was called within the span: the worst first, then the most used; one query."""
    rows = (
        ToolCall.objects.filter(created_at__gte=span.start, created_at__lte=span.end)
        .order_by()
        .values("tool")
        .annotate(
            calls=Count("pk"),
            errors=Count("pk", filter=Q(status=Status.ERROR.value)),
            degraded=Count("pk", filter=Q(status=Status.DEGRADED.value)),
            p50_ms=Percentile("duration_ms", 0.5),
            p95_ms=Percentile("duration_ms", 0.95),
        )
    )
    categories = tool_categories()
    found = dict.fromkeys(categories, NOTHING) | {row["tool"]: dict[str, Any](row) for row in rows}
    breakers = breaker_states(found)
    tools = [
        ToolHealth(
            name=name,
            category=categories.get(name, ""),
            calls=row["calls"],
            errors=row["errors"],
            degraded=row["degraded"],
            p50_ms=_whole(row["p50_ms"]),
            p95_ms=_whole(row["p95_ms"]),
            breaker=breakers[name],
            is_disabled=name in disabled,
        )
        for name, row in found.items()
    ]
    return sorted(tools, key=lambda tool: (tool.is_well, -(tool.failure_share or 0), -tool.calls, tool.name))


def breaker_states(names: Iterable[str]) -> dict[str, str]:
    """The state of each breaker; once Redis did not answer it is not asked again."""
    states: dict[str, str] = dict.fromkeys(names, "unknown")
    try:
        for name in states:
            states[name] = tool_breakers.state_of(name)
    except redis.RedisError:
        return dict.fromkeys(states, "unknown")
    return states


def _whole(milliseconds: float | None) -> int | None:
    return None if milliseconds is None else round(milliseconds)
