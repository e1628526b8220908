"""What machines ask: alive, ready, figures; and the headers every answer carries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import django_rq
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from pydantic import SecretStr
from rq import Worker
from rq.cron_scheduler_registry import get_registry_key

from support_agent import health
from support_agent.env import env
from support_agent.models import Heartbeat
from tests.cast import PASSWORD, Cast

PAGES = ["/healthz", "/readyz", "/metrics", "/no/such/page", "/admin/login/", "/django-rq/"]


@pytest.fixture(autouse=True)
def empty_redis() -> None:
    django_rq.get_connection("default").flushdb()


@contextmanager
def runner(seconds_ago: int = 0) -> Iterator[None]:
    """A runner as others see it: its heartbeat and its lock."""
    seen = timezone.now() - timedelta(seconds=seconds_ago)
    Heartbeat.objects.create(name="test", kind="runner", lock_key=77, seen_at=seen)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(77)")
        yield
        cursor.execute("SELECT pg_advisory_unlock(77)")


def beat_worker_and_scheduler() -> None:
    redis = django_rq.get_connection("default")
    Worker([django_rq.get_queue(name) for name in settings.RQ_QUEUES], connection=redis).register_birth()  # type: ignore[no-untyped-call]
    redis.zadd(get_registry_key(), {"test": timezone.now().timestamp()})


@pytest.mark.django_db
def test_ready_only_when_everything_is_there(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["missing"] == ["runner", "worker", "scheduler"]
    beat_worker_and_scheduler()
    with runner():
        answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() | {"status": "ok", "missing": []} == answer.json()
    assert answer.json()["model"]["provider"] == "demo"


@pytest.mark.django_db
def test_a_runner_that_died_is_missed_at_once(client: Client) -> None:
    beat_worker_and_scheduler()
    with runner(seconds_ago=60):
        assert client.get("/readyz").json()["missing"] == ["runner"]
    Heartbeat.objects.update(seen_at=timezone.now())  # fresh, but the lock went with the process
    assert client.get("/readyz").json()["missing"] == ["runner"]


def test_alive_without_a_database(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.django_db
def test_figures(client: Client) -> None:
    text = client.get("/metrics").content.decode()
    assert 'desk_turns{state="queued"} 0.0' in text
    assert "desk_cost_usd_total 0.0" in text
    assert 'desk_jobs_waiting{queue="mail"} 0.0' in text


@pytest.mark.django_db
def test_figures_are_for_those_inside_or_with_the_token(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/metrics", REMOTE_ADDR="10.0.0.9").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="8.8.8.8").status_code == 403
    assert client.get("/metrics", headers={"X-Forwarded-For": "10.0.0.9"}).status_code == 403, "through a proxy"
    monkeypatch.setattr(health, "env", env.model_copy(update={"metrics_token": SecretStr("let-me-measure")}))
    for given, status in (("", 403), ("Bearer wrong", 403), ("Bearer let-me-measure", 200)):
        headers = {"Authorization": given, "X-Forwarded-For": "8.8.8.8"}
        assert client.get("/metrics", headers=headers).status_code == status


@pytest.mark.django_db
@pytest.mark.parametrize("page", PAGES)
def test_every_answer_is_under_the_strict_policy(client: Client, page: str) -> None:
    answer = client.get(page)
    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";") if part.strip()
    )
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    for directive in ("script-src", "style-src"):
        assert re.fullmatch(r"'self'( 'nonce-[\w+/=]+')?", policy[directive])
    assert policy["img-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-ID"])


def test_a_proxy_s_request_id_is_kept_when_it_is_one(client: Client) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": "edge-1234567"})["X-Request-ID"] == "edge-1234567"
    assert client.get("/healthz", headers={"X-Request-ID": 'a"b\tc<script>'})["X-Request-ID"] != 'a"b\tc<script>'


def test_the_queues_are_for_ops(cast: Cast, client: Client) -> None:
    for user, status in (
        (cast.owner_user, 302),
        (cast.agent, 403),
        (cast.lead, 403),
        (cast.ops, 200),
        (cast.admin, 200),
    ):
        client.login(username=user.get_username(), password=PASSWORD)
        assert client.get("/django-rq/").status_code == status, user
        assert client.get("/django-rq/stats.json").status_code == status, user


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_machines_may_ask_by_any_name(client: Client, path: str) -> None:
    """Orchestrators ask by an address or a container's name, which no ALLOWED_HOSTS has."""
    assert client.get(path, headers={"host": "10.0.0.7:8000"}).status_code in (200, 503)
    assert client.get("/help/", headers={"host": "10.0.0.7:8000"}).status_code == 400
