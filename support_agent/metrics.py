"""Prometheus figures, computed from PostgreSQL and Redis when scraped: but for sockets, every process says the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import django_rq
from django.conf import settings
from django.db.models import Count, Sum
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from support_agent.agent.types import StepKind
from support_agent.models import Alert, Heartbeat, PolicyReport, Step, Turn
from support_agent.origins import open_sockets
from support_agent.runtime.breakers import acceptance
from support_agent.runtime.ratelimit import refused
from tickets.models import Conversation, Escalation

LIVE_SECONDS = 15
OPEN = (Escalation.Status.WAITING, Escalation.Status.CLAIMED)
KINDS = ("input", "output", "cache_read", "cache_write")


class Desk(Collector):
    """Turns, conversations, escalations, spend, runners and queues."""

    def collect(self) -> Iterator[Metric]:
        yield from self._turns()
        yield from self._paths()
        conversations = GaugeMetricFamily("desk_conversations", "Conversations by status.", labels=["status"])
        counts = dict(Conversation.objects.order_by().values_list("status").annotate(Count("id")))
        for status in Conversation.Status.values:
            conversations.add_metric([status], counts.get(status, 0))
        yield conversations
        open_ones = Escalation.objects.filter(status__in=OPEN).count()
        yield GaugeMetricFamily("desk_escalations_open", "Conversations that wait for or have a person.", open_ones)
        alerts = GaugeMetricFamily("desk_alerts_open", "Alerts that are open, by severity.", labels=["severity"])
        raised = dict(Alert.objects.filter(resolved_at=None).order_by().values_list("severity").annotate(Count("id")))
        for severity in Alert.Severity.values:
            alerts.add_metric([severity], raised.get(severity, 0))
        yield alerts
        refusals = CounterMetricFamily(
            "desk_policy_violations", "What browsers refused by the content security policy.", labels=["directive"]
        )
        refused = PolicyReport.objects.order_by().values_list("directive").annotate(n=Sum("count"))
        for directive, number in refused:
            refusals.add_metric([directive], number)
        yield refusals
        since = timezone.now() - timedelta(seconds=LIVE_SECONDS)
        runners = Heartbeat.objects.filter(kind="runner", seen_at__gte=since).count()
        yield GaugeMetricFamily("desk_runners", "Runners with a fresh heartbeat.", runners)
        yield from self._queues()

    def _turns(self) -> Iterator[Metric]:
        turns = GaugeMetricFamily("desk_turns", "Turns by state.", labels=["state"])
        cost = CounterMetricFamily("desk_cost_usd", "Spent on the model API, in USD.")
        tokens = CounterMetricFamily("desk_tokens", "Tokens by kind, as the model API counts them.", labels=["kind"])
        sums: dict[str, Any] = {f"{kind}_sum": Sum(f"{kind}_tokens") for kind in KINDS}
        query = Turn.objects.order_by().values("state").annotate(n=Count("id"), cost=Sum("cost_usd"), **sums)
        rows: dict[str, dict[str, Any]] = {row["state"]: dict(row) for row in query}
        for state in Turn.State.values:
            turns.add_metric([state], rows[state]["n"] if state in rows else 0)
        cost.add_metric([], float(sum(row["cost"] or 0 for row in rows.values())))
        for kind in KINDS:
            tokens.add_metric([kind], sum(row[f"{kind}_sum"] or 0 for row in rows.values()))
        yield from (turns, cost, tokens)

    def _paths(self) -> Iterator[Metric]:
        turns = GaugeMetricFamily("desk_turns_by_path", "Turns by the path they took.", labels=["path"])
        cost = CounterMetricFamily("desk_cost_by_path_usd", "Spent by path, in USD.", labels=["path"])
        rows = Turn.objects.exclude(path="").order_by().values("path").annotate(n=Count("id"), cost=Sum("cost_usd"))
        for row in rows:
            turns.add_metric([row["path"]], row["n"])
            cost.add_metric([row["path"]], float(row["cost"] or 0))
        accepted, judged = acceptance(timezone.now())
        share = GaugeMetricFamily(
            "desk_answers_accepted", "Answers of the last hour by the critic's verdict.", labels=["verdict"]
        )
        share.add_metric(["accepted"], accepted)
        share.add_metric(["rejected"], judged - accepted)
        yield from (turns, cost, share, self._guarded())

    def _guarded(self) -> Metric:
        found = GaugeMetricFamily(
            "desk_turns_guarded", "Turns of the last hour in which the guard found something.", labels=["verdict"]
        )
        since = timezone.now() - timedelta(hours=1)
        steps = Step.objects.filter(kind=StepKind.GUARD.value, created_at__gte=since)
        counts = dict(steps.order_by().values_list("status").annotate(Count("id")))
        found.add_metric(["cautious"], counts.get("flagged", 0))
        found.add_metric(["noted"], counts.get("ok", 0))
        return found

    def _queues(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily("desk_jobs_waiting", "Jobs waiting by queue.", labels=["queue"])
        failed = GaugeMetricFamily("desk_jobs_failed", "Failed jobs kept by queue.", labels=["queue"])
        try:
            for name in settings.RQ_QUEUES:
                queue = django_rq.get_queue(name)
                waiting.add_metric([name], queue.count)
                failed.add_metric([name], queue.failed_job_registry.count)
        except RedisError:
            return  # the figures of the database are still worth having
        yield from (waiting, failed)


registry = CollectorRegistry()


def exposition() -> bytes:
    """The text format of Prometheus."""
    if not registry._collector_to_names:
        registry.register(Desk())
        registry.register(open_sockets)
        registry.register(refused)
    return generate_latest(registry)
