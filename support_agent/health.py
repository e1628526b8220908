"""For machines: /healthz (alive), /readyz (everything it takes is there), /metrics (Prometheus)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any

import django_rq
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST
from rq import Worker
from rq.cron_scheduler_registry import get_registry_key as schedulers_key

from support_agent.env import env
from support_agent.metrics import exposition
from support_agent.models import Heartbeat

RUNNER_SECONDS, WORKER_SECONDS, SCHEDULER_SECONDS = 15, 45, 90  # a few of each one's beats


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200, or 503 with `missing`: which of database, redis, runner, worker and scheduler are not there."""
    found = readiness()
    missing = [name for name, state in found.items() if state != "ok"]
    body = {"status": "missing" if missing else "ok", "missing": missing, "checks": found, "model": model_state()}
    response = JsonResponse(body, status=503 if missing else 200)
    response._has_been_logged = True  # type: ignore[attr-defined]  # asked every few seconds: no log line each
    return response


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)


def readiness() -> dict[str, str]:
    """Each needed part and "ok", or why not in a few words."""
    return {name: _state(check) for name, check in CHECKS.items()}


def model_state() -> dict[str, str]:
    """Who answers; reported, never gating: the desk works without a model."""
    if env.demo_model:
        return {"provider": "demo", "model": "demo model"}
    return {"provider": "anthropic", "model": env.agent_model_medium}


def _state(check: Callable[[], str]) -> str:
    try:
        return check()
    except Exception as error:
        return f"{type(error).__name__}: does not answer"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _redis() -> str:
    django_rq.get_connection("default").ping()
    return "ok"


def _runner() -> str:
    since = timezone.now() - timedelta(seconds=RUNNER_SECONDS)
    fresh = Heartbeat.objects.filter(kind="runner", seen_at__gte=since).values_list("lock_key", flat=True)
    with connection.cursor() as cursor:  # the lock a runner holds goes with it at once, its last heartbeat does not
        cursor.execute("SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks WHERE locktype = 'advisory'")
        held = {key for (key,) in cursor.fetchall()}
    return "ok" if held & set(fresh) else "no heartbeat"


def _worker() -> str:
    since = timezone.now() - timedelta(seconds=WORKER_SECONDS)
    served: set[str] = set()
    for worker in Worker.all(connection=django_rq.get_connection("default")):
        beat: Any = worker.last_heartbeat
        if beat and (beat if timezone.is_aware(beat) else beat.replace(tzinfo=UTC)) >= since:
            served |= set(worker.queue_names())
    idle = sorted(set(settings.RQ_QUEUES) - served)
    return f"no worker for {', '.join(idle)}" if idle else "ok"


def _scheduler() -> str:
    redis = django_rq.get_connection("default")
    return "ok" if redis.zcount(schedulers_key(), time.time() - SCHEDULER_SECONDS, "+inf") else "no heartbeat"


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "redis": _redis,
    "runner": _runner,
    "worker": _worker,
    "scheduler": _scheduler,
}

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
