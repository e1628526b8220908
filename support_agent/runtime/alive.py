"""Which of our processes are alive: "ok", or why not in a few words. Raises what the database or Redis raises."""

from __future__ import annotations

import time
from datetime import UTC, timedelta
from typing import Any

import django_rq
from django.conf import settings
from django.db import connection
from django.utils import timezone
from rq import Worker
from rq.cron_scheduler_registry import get_registry_key as schedulers_key

from support_agent.models import Heartbeat

RUNNER_SECONDS, WORKER_SECONDS, SCHEDULER_SECONDS = 15, 45, 90  # a few of each one's beats


def runner() -> str:
    """A runner with a fresh heartbeat that holds its lock."""
    since = timezone.now() - timedelta(seconds=RUNNER_SECONDS)
    fresh = Heartbeat.objects.filter(kind="runner", seen_at__gte=since).values_list("lock_key", flat=True)
    with connection.cursor() as cursor:  # the lock a runner holds goes with it at once, its last heartbeat does not
        cursor.execute("SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks WHERE locktype = 'advisory'")
        held = {key for (key,) in cursor.fetchall()}
    return "ok" if held & set(fresh) else "no heartbeat"


def worker() -> str:
    """A worker for every queue."""
    since = timezone.now() - timedelta(seconds=WORKER_SECONDS)
    served: set[str] = set()
    for one in Worker.all(connection=django_rq.get_connection("default")):
        beat: Any = one.last_heartbeat
        if beat and (beat if timezone.is_aware(beat) else beat.replace(tzinfo=UTC)) >= since:
            served |= set(one.queue_names())
    idle = sorted(set(settings.RQ_QUEUES) - served)
    return f"no worker for {', '.join(idle)}" if idle else "ok"


def scheduler() -> str:
    redis = django_rq.get_connection("default")
    return "ok" if redis.zcount(schedulers_key(), time.time() - SCHEDULER_SECONDS, "+inf") else "no heartbeat"
