"""What keeps the assistant within bounds: switches, the system breakers' readings, limits by surface, alerts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Case, F, Q, Sum, When

from support_agent.agent.config import Limits
from support_agent.agent.types import Surface
from support_agent.models import Alert, PolicyReport, Spend, SurfaceLimit, SurfaceMode, Switch, Turn
from support_agent.runtime import breakers
from support_agent.runtime.controls import controls
from support_agent.runtime.modes import CUSTOMERS, Answering, read_modes
from support_agent.templatetags.desk import usd

REFUSALS_SHOWN = 20
ALERTS_SHOWN = 12
CUTS = {
    Switch.Name.STOP_ASSISTANT: "People answer; the assistant says so and hands over.",
    Switch.Name.PIN_SMALL: "Every turn runs on the cheapest model.",
    Switch.Name.THROTTLE_NEW: "Few new conversations may begin; running ones go on.",
    Switch.Name.PAUSE_NEW: "Nobody can begin a conversation; help centre, messages and running ones stay.",
}


@dataclass(frozen=True, slots=True)
class SwitchRow:
    """A switch and what it does; `switch` is None while it is off."""

    name: str
    label: str
    effect: str
    switch: Switch | None
    tool: str = ""
    is_overridden: bool = False

    @property
    def state(self) -> str:
        return "off" if self.switch is None else "overridden" if self.is_overridden else "on"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a breaker reads: `value` against `threshold`, both in `unit` (share or usd); None while unknown."""

    label: str
    effect: str
    unit: str
    value: float | None
    threshold: float  # 0 while there is none
    floor: str  # below what it says nothing yet
    is_floor_met: bool
    is_low_bad: bool = False

    @property
    def is_tripped(self) -> bool:
        if self.value is None or not self.is_floor_met:
            return False
        return self.value < self.threshold if self.is_low_bad else self.value > self.threshold

    @property
    def fill(self) -> int:
        """How far the meter is full, of 100: the threshold's mark stands at 80 where more is worse."""
        top = 1.0 if self.is_low_bad else self.threshold / 0.8
        return min(100, round((self.value or 0) / top * 100)) if top else 0

    @property
    def mark(self) -> int:
        return round(self.threshold * 100) if self.is_low_bad else 80


@dataclass(frozen=True, slots=True)
class SurfaceRow:
    """A surface's limits in force and its spend since midnight UTC; `full` is the share of its daily limit."""

    surface: str
    limits: Limits
    row: SurfaceLimit | None  # staff's changes, when there are any
    today_usd: Decimal
    full: float | None


def switch_rows(now: datetime) -> list[SwitchRow]:
    """The four switches whether on or off, then every disabled tool; one query."""
    known = {(s.name, s.tool): s for s in Switch.objects.select_related("changed_by")}

    def row(name: str, tool: str, effect: str) -> SwitchRow:
        switch = known.get((name, tool))
        overridden = switch is not None and switch.overridden_until is not None and switch.overridden_until > now
        return SwitchRow(name, Switch.Name(name).label, effect, switch, tool, overridden)

    disabled = sorted(tool for name, tool in known if name == Switch.Name.DISABLE_TOOL)
    return [
        *(row(name, "", effect) for name, effect in CUTS.items()),
        *(row(Switch.Name.DISABLE_TOOL, tool, "Neither offered to the model nor run.") for tool in disabled),
    ]


@dataclass(frozen=True, slots=True)
class ModeRow:
    """Who answers on one surface, and who said so last, if anybody did."""

    surface: str
    answering: Answering
    changed: SurfaceMode | None

    @property
    def label(self) -> str:
        return self.surface.replace("_", " ").capitalize()


def mode_rows() -> list[ModeRow]:
    """Every surface of customers; two queries, past what this process remembers."""
    known = {row.surface: row for row in SurfaceMode.objects.select_related("changed_by")}
    modes = read_modes()
    return [ModeRow(surface.value, modes[surface], known.get(surface.value)) for surface in CUSTOMERS]


def readings(now: datetime) -> list[Reading]:
    """The system breakers as they stand, with the rules of runtime.breakers; seven queries."""
    talks, escalated = breakers.escalation_share(now)
    failed, calls = breakers.model_failures(now)
    accepted, judged = breakers.acceptance(now)
    return [
        Reading("Escalating, an hour", "fewer new conversations", "share", escalated if talks else None,
                breakers.MAX_ESCALATING, f"{talks} of at least {breakers.MIN_CONVERSATIONS} conversations",
                talks >= breakers.MIN_CONVERSATIONS),
        *_cost_readings(now),
        Reading("Model failing, 10 min", "no new conversations", "share", failed / calls if calls else None,
                breakers.MAX_FAILING, f"{calls} of at least {breakers.MIN_CALLS} calls", calls >= breakers.MIN_CALLS),
        Reading("Accepted, an hour", "an alert", "share", accepted / judged if judged else None,
                breakers.MIN_ACCEPTED, f"{judged} of at least {breakers.MIN_ANSWERS} answers",
                judged >= breakers.MIN_ANSWERS, is_low_bad=True),
    ]  # fmt: skip


def _cost_readings(now: datetime) -> list[Reading]:
    spent, baseline = breakers.hour_cost(now), breakers.hour_baseline(now)
    now_usd = float(spent)
    cap = Reading(
        "Cost, an hour", "no new conversations", "usd", now_usd, float(controls().system_hour), "always", True
    )
    if baseline is None:
        unknown = f"no baseline before {breakers.BASELINE_DAYS} days"
        usual = Reading("Cost over the usual", "fewer new conversations", "usd", None, 0.0, unknown, False)
    else:
        usual = Reading("Cost over the usual", "fewer new conversations", "usd", now_usd,
                        float(max(breakers.MAX_OVER_BASELINE * baseline, breakers.MIN_HOUR_USD)),
                        f"the usual hour costs {usd(baseline)}", True)  # fmt: skip
    return [cap, usual]


def surface_rows(limits: Mapping[Surface, Limits], now: datetime) -> list[SurfaceRow]:
    """Every surface with the limits in force and what it spent today; three queries."""
    changed = {row.surface: row for row in SurfaceLimit.objects.all()}
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    turns = Turn.objects.filter(created_at__gte=midnight).order_by().values_list("surface")
    today = dict(turns.annotate(usd=Sum("cost_usd")))
    held = Spend.objects.filter(scope="surface", period=now.date().isoformat())
    counted = dict(held.values_list("key").annotate(usd=Sum(F("spent_usd") + F("reserved_usd"))))
    return [
        SurfaceRow(
            surface.value,
            limit,
            changed.get(surface.value),
            today.get(surface.value, Decimal(0)),
            float(counted.get(surface.value, 0) / limit.surface_day) if limit.surface_day else None,
        )
        for surface, limit in limits.items()
    ]


def customers_near_limit(now: datetime) -> int:
    """How many customers' or addresses' totals of today have had their 75 % alert; one query."""
    told = Q(key__startswith="customer:") | Q(key__startswith="address:")
    return Alert.objects.filter(told, kind="budget", key__endswith=now.date().isoformat()).count()


def latest_alerts() -> list[Alert]:
    """The open ones first, those nobody is on before the others; one query."""
    is_open = Q(resolved_at=None)
    state = Case(When(is_open & Q(acknowledged_at=None), then=0), When(is_open, then=1), default=2)
    return list(Alert.objects.order_by(state, "-created_at")[:ALERTS_SHOWN])


def latest_refusals() -> list[PolicyReport]:
    """What browsers refused on our pages, seen last first."""
    return list(PolicyReport.objects.all()[:REFUSALS_SHOWN])
