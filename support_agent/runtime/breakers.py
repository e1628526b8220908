"""System-wide breakers: escalation rate, hourly cost, model errors. They alert, throttle or pause new conversations.

Each has a floor against small numbers (DESIGN.md, 'People'), turns its own switch, and turns it back when the cause is
gone; a switch that staff overrode is left alone until its time is up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Q, Sum
from django.utils import timezone

from support_agent.agent.types import StepKind
from support_agent.models import Step, Switch, Turn
from support_agent.runtime.alert_rules import PAGE
from support_agent.runtime.alerts import alert
from support_agent.runtime.budgets import spent_of, system_hour
from support_agent.runtime.controls import controls, switch_off, switch_on
from tickets.models import NOT_OURS, Conversation, Escalation

HOUR = timedelta(hours=1)
MIN_CONVERSATIONS, MAX_ESCALATING = 30, 0.20
BASELINE_DAYS, MIN_HOUR_USD, MAX_OVER_BASELINE = 7, Decimal("5.00"), 2
MIN_CALLS, MAX_FAILING = 20, 0.30
MIN_ANSWERS, MIN_ACCEPTED = 20, 0.70
MODEL_KINDS = [StepKind.PLAN.value, StepKind.MODEL_CALL.value, StepKind.COMPRESS.value]


@dataclass(frozen=True, slots=True)
class Trip:
    """A breaker's finding: the switch it wants, and why in one sentence."""

    switch: Switch.Name
    reason: str


def check_system(now: datetime | None = None) -> list[Trip]:
    """Look at the last hour, turn switches and alert. Safe to run as often as one likes."""
    now = now or timezone.now()
    trips = [trip for trip in (_escalations(now), _cost(now), _model(now)) if trip is not None]
    wanted = {trip.switch: trip for trip in trips}
    for name in (Switch.Name.THROTTLE_NEW, Switch.Name.PAUSE_NEW):
        known = Switch.objects.filter(name=name).first()
        if name in wanted and known is None:
            switch_on(name=name, staff=None, reason=wanted[name].reason)
            severity = PAGE if name is Switch.Name.PAUSE_NEW else ""
            alert("breaker", f"{name}:{now:%Y%m%d%H}", wanted[name].reason, subject=name, severity=severity)
        elif name not in wanted and known is not None and known.source == Switch.Source.BREAKER:
            switch_off(name=name, staff=None, reason="the cause is gone")
    accepted, judged = acceptance(now)
    if judged >= MIN_ANSWERS and accepted / judged < MIN_ACCEPTED:
        text = f"The critic accepted only {accepted / judged:.0%} of {judged} answers within the hour."
        newest = Turn.objects.latest("created_at").prompt_version
        alert("acceptance", f"all:{now:%Y%m%d%H}", text, subject="all", prompt=newest)
    return trips


def acceptance(now: datetime) -> tuple[int, int]:
    """(accepted, judged) answers of the last hour; a prompt is at fault when few are, not the customers."""
    verdicts = Step.objects.filter(kind=StepKind.CRITIC.value, created_at__gte=now - HOUR)
    counts = verdicts.aggregate(judged=Count("id"), accepted=Count("id", filter=Q(status="ok")))
    return counts["accepted"], counts["judged"]


def escalation_share(now: datetime) -> tuple[int, float]:
    """(conversations of the last hour, share of them that escalated by the assistant's own doing)."""
    recent = Conversation.objects.filter(turns__created_at__gte=now - HOUR).exclude(channel=Conversation.Channel.TASK)
    total = recent.distinct().count()
    ours = Escalation.objects.filter(created_at__gte=now - HOUR).exclude(reason__in=NOT_OURS)
    return total, ours.values("conversation").distinct().count() / total if total else 0.0


def hour_cost(now: datetime) -> Decimal:
    return Turn.objects.filter(created_at__gte=now - HOUR).aggregate(cost=Sum("cost_usd"))["cost"] or Decimal(0)


def hour_baseline(now: datetime) -> Decimal | None:
    """The mean cost of an hour over the seven days before, or None while there are fewer."""
    first = Turn.objects.order_by("created_at").values_list("created_at", flat=True).first()
    start = now - timedelta(days=BASELINE_DAYS)
    if first is None or first > start:
        return None
    spent = Turn.objects.filter(created_at__gte=start, created_at__lt=now - HOUR).aggregate(cost=Sum("cost_usd"))[
        "cost"
    ]
    return (spent or Decimal(0)) / (BASELINE_DAYS * 24 - 1)


def model_failures(now: datetime) -> tuple[int, int]:
    """(failed, all) model calls of the last ten minutes."""
    calls = Step.objects.filter(created_at__gte=now - HOUR / 6, kind__in=MODEL_KINDS)
    counts = calls.aggregate(total=Count("id"), failed=Count("id", filter=Q(status="failed")))
    return counts["failed"], counts["total"]


def _escalations(now: datetime) -> Trip | None:
    total, share = escalation_share(now)
    if total < MIN_CONVERSATIONS or share <= MAX_ESCALATING:
        return None
    return Trip(Switch.Name.THROTTLE_NEW, f"{share:.0%} of {total} conversations escalated within the hour.")


def _cost(now: datetime) -> Trip | None:
    spent, baseline = hour_cost(now), hour_baseline(now)
    held = max(spent, spent_of(*system_hour(now)))  # evaluations are paid from it, too
    limit = controls().system_hour
    if held >= limit:
        return Trip(Switch.Name.PAUSE_NEW, f"{held:.2f} USD within the hour: the limit of {limit} is spent.")
    if baseline is None or spent < MIN_HOUR_USD or spent <= MAX_OVER_BASELINE * baseline:
        return None
    return Trip(Switch.Name.THROTTLE_NEW, f"{spent:.2f} USD within the hour, the baseline is {baseline:.2f} USD.")


def _model(now: datetime) -> Trip | None:
    failed, total = model_failures(now)
    if total < MIN_CALLS or failed / total <= MAX_FAILING:
        return None
    return Trip(Switch.Name.PAUSE_NEW, f"{failed} of {total} model calls failed within ten minutes.")
