"""What stands wrong now: one small look for each kind of condition, a few indexed queries together.

A check yields findings, and yields nothing when all is well. One that cannot look (Redis is away) raises: its alerts
then stay as they are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import django_rq
from django.conf import settings
from django.db.models import Count, Min, Q, QuerySet
from django.utils import timezone

from support_agent.models import AlertDelivery, McpTool, Spend, Switch, ToolCall, Turn
from support_agent.runtime import alive, breakers, tool_breakers
from support_agent.runtime.alert_causes import BAD_STATUSES
from support_agent.runtime.alert_deliver import MAX_ATTEMPTS
from support_agent.runtime.alert_rules import PAGE
from support_agent.runtime.catalogue import catalogue
from support_agent.runtime.controls import controls
from support_agent.runtime.eval_nightly import nights
from tickets.hours import is_open
from tickets.models import Escalation
from tickets.selectors.escalations import awake
from tickets.selectors.workload import loads_available

HOUR = timedelta(hours=1)
MIN_TURNS, MAX_FAILED, PAGE_FAILED = 20, 0.05, 0.20
MAX_MODEL_FAILING = 0.15  # half of what trips the breaker
MIN_TOOL_CALLS, MAX_TOOL_FAILING = 10, 0.20
QUEUE_LATE, QUEUE_LONG = timedelta(minutes=30), 20
TURN_WAITS = timedelta(minutes=1)
MAX_FAILED_JOBS, MAX_WAITING_JOBS = 5, 500
KEPT_S = 365 * 24 * 3600  # how long RQ keeps a failed job: its place in the registry is when that ends
BUDGET = 0.75


@dataclass(frozen=True, slots=True)
class Finding:
    """A condition that stands now; `subject` tells it from others of its kind.

    One with a `size` is told again when that has doubled.
    """

    kind: str
    subject: str
    text: str
    severity: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    size: int = 0


def budgets(now: datetime) -> Iterator[Finding]:
    """The system's hour; the other totals are told where they are reserved."""
    row = Spend.objects.filter(scope="system", key="all", period=now.strftime("%Y%m%d%H")).first()
    if row is None:
        return
    limit, held = controls().system_hour, row.spent_usd + row.reserved_usd
    share = float(held / limit) if limit else 1.0
    if share >= BUDGET:
        text = f"{share:.0%} of the system's limit of {limit:.2f} USD an hour is spent."
        yield Finding("budget", f"system:all:{row.period}", text, details={"total": f"system all {row.period}"})


def switches(now: datetime) -> Iterator[Finding]:
    """What system breakers turned and nobody has overridden."""
    turned = Switch.objects.filter(source=Switch.Source.BREAKER)
    for switch in turned.filter(Q(overridden_until=None) | Q(overridden_until__lte=now)):
        severity = PAGE if switch.name == Switch.Name.PAUSE_NEW else ""
        yield Finding("breaker", switch.name, switch.reason, severity, {"switch": switch.get_name_display()})


def tools_left_alone(now: datetime) -> Iterator[Finding]:
    for name in catalogue():
        if tool_breakers.state_of(name) != "closed":
            text = f"The breaker of {name} is open: {tool_breakers.FAILURES} calls failed in a row."
            yield Finding("tool_breaker", name, text, details={"tool": name})


def changed_tools(now: datetime) -> Iterator[Finding]:
    """Tools of MCP servers that customers used, and that wait for somebody to look at them again."""
    states = {McpTool.State.CHANGED: "has changed at its server", McpTool.State.GONE: "is no longer listed"}
    lost = McpTool.objects.filter(state__in=states, allowed_by__isnull=False, server__is_active=True)
    for name, state in lost.values_list("name", "state"):
        text = f"The tool {name} {states[McpTool.State(state)]}, so it is not offered until somebody looks at it."
        yield Finding("mcp_tool", name, text, details={"tool": name})


def failed_turns(now: datetime) -> Iterator[Finding]:
    ended = Turn.objects.filter(created_at__gte=now - HOUR).exclude(state__in=[Turn.State.QUEUED, Turn.State.RUNNING])
    counts = ended.aggregate(n=Count("pk"), failed=Count("pk", filter=Q(state=Turn.State.FAILED)))
    if counts["n"] < MIN_TURNS or counts["failed"] / counts["n"] < MAX_FAILED:
        return
    share = counts["failed"] / counts["n"]
    text = f"{counts['failed']} of {counts['n']} turns failed within the hour ({share:.0%})."
    yield Finding("turn_failures", "all", text, PAGE if share >= PAGE_FAILED else "")


def failed_model_calls(now: datetime) -> Iterator[Finding]:
    failed, calls = breakers.model_failures(now)
    if calls >= breakers.MIN_CALLS and failed / calls >= MAX_MODEL_FAILING:
        text = f"{failed} of {calls} model calls failed within ten minutes ({failed / calls:.0%})."
        yield Finding("model_failures", "all", text)


def failed_tool_calls(now: datetime) -> Iterator[Finding]:
    calls = ToolCall.objects.filter(created_at__gte=now - HOUR).order_by().values("tool")
    for row in calls.annotate(n=Count("pk"), failed=Count("pk", filter=Q(status__in=BAD_STATUSES))):
        if row["n"] >= MIN_TOOL_CALLS and row["failed"] / row["n"] >= MAX_TOOL_FAILING:
            share = row["failed"] / row["n"]
            text = f"{row['failed']} of {row['n']} calls of {row['tool']} failed within the hour ({share:.0%})."
            yield Finding("tool_failures", row["tool"], text, details={"tool": row["tool"]})


def rejected_answers(now: datetime) -> Iterator[Finding]:
    accepted, judged = breakers.acceptance(now)
    if judged >= breakers.MIN_ANSWERS and accepted / judged < breakers.MIN_ACCEPTED:
        newest = Turn.objects.order_by("-created_at").values_list("prompt_version", flat=True).first()
        text = f"The critic accepted only {accepted / judged:.0%} of {judged} answers within the hour."
        yield Finding("acceptance", "all", text, details={"prompt": newest})


def people(now: datetime) -> Iterator[Finding]:
    """Broken promises of time, a queue that nobody takes from, and a desk without anybody; few queries.

    What is snoozed or waits for its customer waits for nobody of ours.
    """
    still = _unanswered(now)
    waiting = Q(status=Escalation.Status.WAITING)
    found = still.filter(waiting | Q(status=Escalation.Status.CLAIMED)).aggregate(
        late=Count("pk", filter=Q(due_at__lt=now)),
        first=Min("due_at"),
        waiting=Count("pk", filter=waiting),
        untaken=Count("pk", filter=waiting & Q(due_at__lt=now - QUEUE_LATE)),
    )
    if found["late"]:
        late, minutes = found["late"], int((now - found["first"]).total_seconds() // 60)
        text = f"{_customers(late)} past the promised time, the longest by {minutes} min."
        yield Finding("sla", "late", text, details={"late": _teams(now)}, size=late)
    if found["untaken"] or (found["waiting"] >= QUEUE_LONG and is_open(now)):
        text = f"{_customers(found['waiting'])} for a person; {found['untaken']} of them over 30 min past the promise."
        details = {"waiting": found["waiting"], "untaken": found["untaken"]}
        yield Finding("queue", "waiting", text, details=details, size=found["waiting"])
    if found["waiting"] and is_open(now) and not loads_available(now):
        yield Finding("nobody", "desk", f"{_customers(found['waiting'])} and nobody is available.")


def waiting_turns(now: datetime) -> Iterator[Finding]:
    """Queued turns nobody takes; one that waits for its own conversation's running turn is all right."""
    old = Turn.objects.filter(state=Turn.State.QUEUED, created_at__lt=now - TURN_WAITS)
    found = old.exclude(conversation__turns__state=Turn.State.RUNNING).aggregate(n=Count("pk"), first=Min("created_at"))
    if found["n"]:
        seconds = int((now - found["first"]).total_seconds())
        text = f"{found['n']} turn{'s wait' if found['n'] > 1 else ' waits'} for a runner, the oldest for {seconds} s."
        yield Finding("turns", "queued", text)


def runners(now: datetime) -> Iterator[Finding]:
    if (state := alive.runner()) != "ok":
        yield Finding("runner", "all", f"No runner is alive: {state}.")


def workers(now: datetime) -> Iterator[Finding]:
    if (state := alive.worker()) != "ok":
        yield Finding("worker", "queues", f"There is {state}.")


def jobs(now: datetime) -> Iterator[Finding]:
    """Jobs that failed for good within the hour, and queues that grow."""
    for name in settings.RQ_QUEUES:
        queue = django_rq.get_queue(name)
        registry = queue.failed_job_registry
        failed = registry.connection.zcount(registry.key, time.time() + KEPT_S - HOUR.total_seconds(), "+inf")
        if failed >= MAX_FAILED_JOBS:
            yield Finding("jobs", f"failed:{name}", f"{failed} jobs of the queue {name} failed within the hour.")
        if queue.count >= MAX_WAITING_JOBS:
            yield Finding("jobs", f"waiting:{name}", f"{queue.count} jobs wait in the queue {name}.")


def dead_routes(now: datetime) -> Iterator[Finding]:
    """Routes that gave up on a message within the day and have taken none since."""
    gave_up = AlertDelivery.objects.filter(attempts__gte=MAX_ATTEMPTS, sent_at=None, created_at__gte=now - HOUR * 24)
    newest = gave_up.filter(route__is_active=True).select_related("route").order_by("route_id", "-created_at")
    for row in newest.distinct("route_id"):
        if not AlertDelivery.objects.filter(route=row.route, sent_at__gt=row.due_at).exists():
            text = f"{row.route} takes no alerts: {row.error}"
            yield Finding("route", str(row.route_id), text[:500], details={"route": row.route_id})


def _unanswered(now: datetime) -> QuerySet[Escalation]:
    return Escalation.objects.filter(awake(now), first_reply_at=None, conversation__awaits_customer=False)


def _teams(now: datetime) -> str:
    late = _unanswered(now).filter(due_at__lt=now, status__in=["waiting", "claimed"])
    counts = late.order_by().values_list("team__name").annotate(Count("pk"))
    return ", ".join(f"{team} {number}" for team, number in sorted(counts))


def _customers(number: int) -> str:
    return f"{number} customer{' waits' if number == 1 else 's wait'}"


def evaluations(now: datetime) -> Iterator[Finding]:
    """The newest night of a model that is below its thresholds or worse than the one before."""
    for night in nights(now):
        if night.is_bad:
            details = {"run": night.run.pk, "failed": ", ".join(night.failed), "worse": ", ".join(night.fallen)}
            yield Finding("evals", night.run.model, night.text, details=details, size=len(night.failed))


CHECKS: tuple[tuple[frozenset[str], Callable[[datetime], Iterator[Finding]]], ...] = (
    (frozenset({"budget"}), budgets),
    (frozenset({"breaker"}), switches),
    (frozenset({"tool_breaker"}), tools_left_alone),
    (frozenset({"mcp_tool"}), changed_tools),
    (frozenset({"turn_failures"}), failed_turns),
    (frozenset({"model_failures"}), failed_model_calls),
    (frozenset({"tool_failures"}), failed_tool_calls),
    (frozenset({"acceptance"}), rejected_answers),
    (frozenset({"sla", "queue", "nobody"}), people),
    (frozenset({"turns"}), waiting_turns),
    (frozenset({"runner"}), runners),
    (frozenset({"worker"}), workers),
    (frozenset({"jobs"}), jobs),
    (frozenset({"evals"}), evaluations),
    (frozenset({"route"}), dead_routes),
)


def look(now: datetime | None = None) -> tuple[list[Finding], frozenset[str], list[str]]:
    """(findings, the kinds that could be looked at, what could not and why)."""
    now = now or timezone.now()
    found: list[Finding] = []
    seen: set[str] = set()
    failed = []
    for kinds, check in CHECKS:
        try:
            found += list(check(now))
            seen |= kinds
        except Exception as error:
            failed.append(f"{check.__name__}: {type(error).__name__}: {error}")
    return found, frozenset(seen), failed
