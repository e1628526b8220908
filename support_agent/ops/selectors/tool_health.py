"""How every tool does: its calls and failures, how long they took, its breaker, and whether ops disabled it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import redis

from support_agent.agent.toolkit import Status
from support_agent.ops.selectors.pulse import Readings
from support_agent.runtime import tool_breakers
from support_agent.runtime.controls import tool_categories


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
    cost_usd: Decimal = Decimal(0)  # of the model calls that asked for it

    @property
    def failure_share(self) -> float | None:
        return (self.errors + self.degraded) / self.calls if self.calls else None

    @property
    def is_well(self) -> bool:
        return self.breaker in ("closed", "unknown") and not self.is_disabled and (self.failure_share or 0) <= 0.1


def tool_health(found: Readings, disabled: frozenset[str]) -> list[ToolHealth]:
    """Every tool there is or was called within the span: the worst first, then the most used; no query."""
    categories = tool_categories()
    names = {*categories, *found.tools}
    breakers = breaker_states(names)
    tools = [
        ToolHealth(
            name=name,
            category=categories.get(name, ""),
            calls=found.tools[name].total() if name in found.tools else 0,
            errors=found.tools[name][Status.ERROR.value] if name in found.tools else 0,
            degraded=found.tools[name][Status.DEGRADED.value] if name in found.tools else 0,
            p50_ms=found.took_ms("tool", name, 0.5),
            p95_ms=found.took_ms("tool", name, 0.95),
            breaker=breakers[name],
            is_disabled=name in disabled,
            cost_usd=found.asked[name]["cost_usd"] if name in found.asked else Decimal(0),
        )
        for name in names
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
