"""For machines: /healthz (alive), /readyz (everything it takes is there), /metrics (Prometheus)."""

from __future__ import annotations

from collections.abc import Callable

import django_rq
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect, JsonResponse
from django.middleware.common import CommonMiddleware
from django.urls import path
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from support_agent.addresses import is_inside
from support_agent.env import env
from support_agent.metrics import exposition
from support_agent.runtime import alive

PATHS = ("/healthz", "/readyz", "/metrics")


class HostMiddleware(CommonMiddleware):
    """Django's, which refuses foreign Host headers; machines ask by an address or a container's name."""

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        return None if request.path in PATHS else super().process_request(request)


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
    """With METRICS_TOKEN for whoever brings it, else for this machine and private networks."""
    if not _may_measure(request):
        words = "Send “Authorization: Bearer …” with METRICS_TOKEN, or ask from inside the network.\n"
        return HttpResponse(words, status=403, content_type="text/plain; charset=utf-8")
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)


def _may_measure(request: HttpRequest) -> bool:
    token = env.metrics_token.get_secret_value()
    if not token:
        return is_inside(request.META)
    return constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {token}")


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


CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "redis": _redis,
    "runner": alive.runner,
    "worker": alive.worker,
    "scheduler": alive.scheduler,
}

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
