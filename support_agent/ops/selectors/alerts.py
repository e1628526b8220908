"""The alerts page: what is open, what was, where it goes and whether it arrives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Self
from urllib.parse import urlencode

from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from support_agent.models import Alert, AlertDelivery, AlertRoute
from support_agent.runtime.alert_deliver import MAX_ATTEMPTS
from support_agent.runtime.alert_dispatch import quiet_end, staff_route
from support_agent.runtime.alert_rules import RULES, Rule, anchor_of, rule_of

PAGE = 50
STATES = {"open": "Open", "over": "Over"}


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """What the address asks for; what it does not know is left out."""

    state: str = ""
    kind: str = ""
    severity: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Self:
        state, severity = query.get("state", ""), query.get("severity", "")
        return cls(
            state=state if state in STATES else "",
            kind=query.get("kind", "").replace("\x00", "")[:30],
            severity=severity if severity in Alert.Severity.values else "",
        )

    def as_query(self, **more: str | int) -> str:
        kept = {"state": self.state, "kind": self.kind, "severity": self.severity} | more
        return urlencode({name: value for name, value in kept.items() if value})

    def apply(self, alerts: QuerySet[Alert]) -> QuerySet[Alert]:
        if self.state:
            alerts = alerts.filter(resolved_at__isnull=self.state == "open")
        if self.kind:
            alerts = alerts.filter(kind=self.kind)
        return alerts.filter(severity=self.severity) if self.severity else alerts


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert with its rule; `anchor` is its section of the runbook."""

    alert: Alert
    rule: Rule
    anchor: str

    @property
    def state(self) -> str:
        if self.alert.resolved_at:
            return "over"
        return "acknowledged" if self.alert.acknowledged_at else "open"


@dataclass(frozen=True, slots=True)
class RouteRow:
    """A route and how it fares: messages of the day, when it was last reached, and the newest failure since."""

    route: AlertRoute
    sent_today: int
    waiting: int
    last_sent: object
    error: str
    is_quiet: bool


def alert_rows(wanted: AlertFilter, page: int) -> tuple[list[AlertRow], list[AlertRow], bool]:
    """(open ones, the others of this page newest first, whether there are more); two queries."""
    alerts = wanted.apply(Alert.objects.select_related("acknowledged_by__staff_profile"))
    is_first = page == 1
    open_ones = [row(one) for one in alerts.filter(resolved_at=None).order_by("-created_at")[:PAGE]] if is_first else []
    rank = {"page": 0, "warning": 1, "info": 2}
    open_ones.sort(key=lambda one: (one.state != "open", rank[one.alert.severity]))
    start = (page - 1) * PAGE
    past = list(alerts.filter(resolved_at__isnull=False).order_by("-created_at")[start : start + PAGE + 1])
    return open_ones, [row(one) for one in past[:PAGE]], len(past) > PAGE


def row(alert: Alert) -> AlertRow:
    return AlertRow(alert, rule_of(alert.kind), anchor_of(alert.kind))


def known_kinds() -> list[tuple[str, str]]:
    """Every kind of the table, and whatever else was raised; one query."""
    raised = set(Alert.objects.order_by().values_list("kind", flat=True).distinct())
    return sorted((kind, rule_of(kind).label) for kind in {*RULES, *raised})


def open_counts() -> dict[str, int]:
    """How many are open, by severity; one query."""
    found = Alert.objects.filter(resolved_at=None).order_by().values_list("severity").annotate(Count("pk"))
    return dict.fromkeys(Alert.Severity.values, 0) | dict(found)


def route_rows() -> list[RouteRow]:
    """Every route and how it fares; three queries at most."""
    staff_route()
    now = timezone.now()
    failing = AlertDelivery.objects.filter(route=OuterRef("pk"), sent_at=None).exclude(error="").order_by("-due_at")
    day = Q(deliveries__sent_at__gte=now - timedelta(days=1))
    waiting = Q(deliveries__sent_at=None, deliveries__attempts__lt=MAX_ATTEMPTS, deliveries__isnull=False)
    routes = AlertRoute.objects.annotate(
        today=Count("deliveries__message_id", filter=day, distinct=True),
        waiting=Count("deliveries", filter=waiting),
        last=Max("deliveries__sent_at"),
        error=Subquery(failing.values("error")[:1]),
        failed_at=Subquery(failing.values("due_at")[:1]),
    )
    return [
        RouteRow(
            route,
            route.today,
            route.waiting,
            route.last,
            route.error if route.error and (route.last is None or route.last < route.failed_at) else "",
            quiet_end(route.quiet_from, route.quiet_until, now) is not None,
        )
        for route in routes
    ]


def deliveries_of(alert: Alert) -> list[AlertDelivery]:
    """Where the alert went, in order; one query."""
    return list(alert.deliveries.select_related("route").order_by("created_at"))
