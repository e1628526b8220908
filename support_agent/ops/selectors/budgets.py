"""What is left of the budgets: of the system's hour, and of the surfaces' days where staff limited them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import F, Sum

from support_agent.models import Spend, SystemLimit
from support_agent.runtime.controls import Controls


@dataclass(frozen=True, slots=True)
class Budget:
    """`held` is what was spent and what calls in flight have reserved; `left` is never below nought."""

    name: str
    limit: Decimal
    held: Decimal
    surface: str = ""
    row: SystemLimit | None = None

    @property
    def left(self) -> Decimal:
        return max(Decimal(0), self.limit - self.held)

    @property
    def full(self) -> float:
        return float(self.held / self.limit)

    @property
    def width(self) -> int:
        return min(100, round(self.full * 100))


def budgets(now_in_force: Controls, now: datetime) -> list[Budget]:
    """The system's hour, then each limited surface's day; one query."""
    hour, today = now.strftime("%Y%m%d%H"), now.date().isoformat()
    totals = Spend.objects.filter(scope__in=["system", "surface"], period__in=[hour, today])
    held = {
        (scope, key): usd
        for scope, key, usd in totals.values_list("scope", "key").annotate(usd=Sum(F("spent_usd") + F("reserved_usd")))
    }
    system = Budget("This hour, the whole system", now_in_force.system_hour, held.get(("system", "all"), Decimal(0)))
    return [system] + [
        Budget(f"Today, {surface.value.replace('_', ' ')}", limits.surface_day,
               held.get(("surface", surface.value), Decimal(0)), surface.value)
        for surface, limits in now_in_force.limits.items()
        if limits.surface_day
    ]  # fmt: skip


def system_limit(now_in_force: Controls, now: datetime) -> Budget:
    """The system's hour with the row that staff changed, if they did; two queries."""
    system = budgets(now_in_force, now)[0]
    row = SystemLimit.objects.filter(period=SystemLimit.Period.HOUR).first()
    return Budget(system.name, system.limit, system.held, row=row)
