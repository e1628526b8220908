"""How conversations of a span came out: escalations by reason, resolutions, surveys; and what waits at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import django_rq
from django.conf import settings
from django.db import connection
from django.db.models import Count, Min
from redis.exceptions import RedisError

from support_agent.models import Heartbeat, Turn
from support_agent.ops.spans import Span
from tickets.models import Escalation

Json = dict[str, Any]
FRESH = timedelta(seconds=15)  # a runner beats every five

_OUTCOMES = """
SELECT 'reason' AS what, created_at >= %(start)s AS is_now, reason AS name,
       width_bucket(created_at, %(bars)s::timestamptz[]) - 1 AS bin, count(*) AS number
FROM tickets_escalation WHERE created_at >= %(before)s AND created_at < %(end)s GROUP BY 2, 3, 4
UNION ALL
SELECT 'escalated', created_at >= %(start)s, '', 0, count(DISTINCT conversation_id)
FROM tickets_escalation WHERE created_at >= %(before)s AND created_at < %(end)s
  AND reason NOT IN ('asked', 'people_first') GROUP BY 2
UNION ALL
SELECT 'resolved', at >= %(start)s, kind || CASE WHEN staff_id IS NULL THEN '' ELSE '+person' END,
       width_bucket(at, %(bars)s::timestamptz[]) - 1, count(*)
FROM tickets_resolution WHERE at >= %(before)s AND at < %(end)s AND revoked_at IS NULL GROUP BY 2, 3, 4
UNION ALL
SELECT 'revoked', at >= %(start)s, '', 0, count(*)
FROM tickets_resolution WHERE at >= %(before)s AND at < %(end)s AND revoked_at IS NOT NULL GROUP BY 2
UNION ALL
SELECT 'rating', answered_at >= %(start)s, rating::text, 0, count(*)
FROM tickets_survey WHERE answered_at >= %(before)s AND answered_at < %(end)s AND rating IS NOT NULL GROUP BY 2, 3
"""


def outcomes(span: Span) -> list[Json]:
    """Rows {what, is_now, name, bin, number}: reason (escalations by bin), escalated (conversations that did not ask),
    resolved (name: confirmed or assumed, '+person' with one), revoked, rating. One query."""
    with connection.cursor() as cursor:
        asked: Json = {"start": span.start, "end": span.end, "before": span.before, "bars": span.bars}
        cursor.execute(_OUTCOMES, asked)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Queue:
    """Jobs of one RQ queue."""

    name: str
    waiting: int
    failed: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Who and what waits at this moment. `queues` is None while Redis is away."""

    people: int
    oldest: datetime | None
    is_late: bool
    turns: int
    oldest_turn: datetime | None
    running: int
    runners: int
    queues: list[Queue] | None

    @property
    def jobs(self) -> int:
        return sum(queue.waiting for queue in self.queues or ())

    @property
    def failed_jobs(self) -> int:
        return sum(queue.failed for queue in self.queues or ())


def waiting(now: datetime) -> Waiting:
    """Three queries, and Redis for the jobs."""
    people = Escalation.objects.filter(status=Escalation.Status.WAITING)
    seen = people.aggregate(number=Count("pk"), oldest=Min("created_at"), due=Min("due_at"))
    turns = {
        row["state"]: row
        for row in Turn.objects.filter(state__in=[Turn.State.QUEUED, Turn.State.RUNNING])
        .order_by()
        .values("state")
        .annotate(number=Count("pk"), oldest=Min("created_at"))
    }
    queued = turns.get(Turn.State.QUEUED)
    running = turns.get(Turn.State.RUNNING)
    return Waiting(
        people=seen["number"],
        oldest=seen["oldest"],
        is_late=seen["due"] is not None and seen["due"] < now,
        turns=queued["number"] if queued else 0,
        oldest_turn=queued["oldest"] if queued else None,
        running=running["number"] if running else 0,
        runners=Heartbeat.objects.filter(kind="runner", seen_at__gte=now - FRESH).count(),
        queues=_queues(),
    )


def _queues() -> list[Queue] | None:
    try:
        queues = [django_rq.get_queue(name) for name in settings.RQ_QUEUES]
        return [Queue(queue.name, queue.count, queue.failed_job_registry.count) for queue in queues]
    except RedisError:
        return None
