"""The workers: a Redis that forgets, and long jobs that nothing waits for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import django_rq
import pytest
import redis
from django.conf import settings
from django_rq.cron import DjangoCronScheduler
from rq import Worker
from rq.command import send_stop_job_command
from rq.worker_registration import REDIS_WORKER_KEYS

from support_agent.runtime import alive
from support_agent.scheduler import SteadyScheduler
from support_agent.worker import BeatingWorker
from tests.stack import ROOT


def test_a_worker_whose_redis_was_emptied_is_known_again_at_its_next_beat() -> None:
    connection = django_rq.get_connection("default")
    worker = BeatingWorker(["default", "mail"], connection=connection)
    worker.register_birth()  # type: ignore[no-untyped-call]
    connection.srem(REDIS_WORKER_KEYS, worker.key)
    connection.delete(worker.key)
    worker.heartbeat()
    [known] = [other for other in Worker.all(connection=connection) if other.name == worker.name]
    assert set(known.queue_names()) == {"default", "mail"}
    worker.register_death()  # type: ignore[no-untyped-call]


@pytest.mark.django_db
@pytest.mark.timeout(150)
def test_a_mail_does_not_wait_for_a_long_job_nor_that_for_an_evaluation() -> None:
    connection = django_rq.get_connection("default")
    connection.flushdb()
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "support_agent.settings",  # the tests' own would count this run's databases again
        "DATABASE_URL": settings.DATABASE_URL,
        "REDIS_URL": settings.REDIS_URL,
    }
    command = [sys.executable, str(ROOT / "manage.py"), "rqworker-pool", "--verbosity", "0", "--skip-checks"]
    jobs = {
        name: django_rq.get_queue(name, commit_mode="auto").enqueue(time.sleep, seconds)
        for name, seconds in (("evals", 140), ("long", 140), ("default", 0), ("mail", 0))
    }
    pool = subprocess.Popen(command, env=environment, start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        until(lambda: jobs["evals"].get_status() == jobs["long"].get_status() == "started")
        until(lambda: jobs["mail"].is_finished and jobs["default"].is_finished)
        assert jobs["evals"].get_status() == jobs["long"].get_status() == "started"
        assert alive.worker() == "ok"
        send_stop_job_command(connection, jobs["long"].id)  # it leads a process group of its own
        until(lambda: jobs["long"].get_status() == "stopped")
        assert jobs["evals"].get_status() == "started"
        send_stop_job_command(connection, jobs["evals"].id)
        until(lambda: jobs["evals"].get_status() == "stopped")
    finally:
        os.killpg(pool.pid, signal.SIGKILL)
        pool.wait()
        connection.flushdb()


def test_the_scheduler_goes_on_when_redis_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Away when it starts, then away for a moment, then asked to stop."""
    away = iter([redis.ConnectionError("refused"), redis.TimeoutError("slow"), None])
    begun: list[int] = []

    def start(_: DjangoCronScheduler) -> None:
        begun.append(1)
        if (error := next(away)) is not None:
            raise error

    monkeypatch.setattr(DjangoCronScheduler, "start", start)
    monkeypatch.setattr("support_agent.scheduler.PAUSE_S", 0)
    SteadyScheduler().start()
    assert len(begun) == 3


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60  # three processes start, on a machine that may be busy
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)
