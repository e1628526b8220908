"""Redis and PostgreSQL are away for a while: every process waits and goes on by itself, without a supervisor."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from support_agent.embedded import Postgres, Valkey
from tests.stack import ROOT

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]
AWAY_S = 20.0  # past rq's first pauses
BACK_S = 30.0  # on a busy machine; alone it takes a few seconds


@dataclass
class Servers:
    """A database and a Redis of our own, and processes that use them."""

    postgres: Postgres
    valkey: Valkey
    started: list[subprocess.Popen[bytes]]

    @property
    def environment(self) -> dict[str, str]:
        names = {"DATABASE_URL": self.postgres.url, "REDIS_URL": self.valkey.url, "EMAIL_URL": "", "EMBEDDER": "none"}
        return {**os.environ, **names, "DJANGO_SETTINGS_MODULE": "support_agent.settings", "DEBUG": "true"}

    def manage(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "manage.py", *arguments]
        process = subprocess.Popen(command, cwd=ROOT, env=self.environment, start_new_session=True)
        self.started.append(process)
        return process

    def asked(self) -> int:
        """How many jobs the clock has asked for."""
        with redis.Redis.from_url(self.valkey.url) as client:
            return int(client.zcard("rq:cron_job:support_agent.runtime.jobs.expire_actions:jobs"))

    def served(self) -> int:
        with redis.Redis.from_url(self.valkey.url) as client:
            found: Any = [client.hget(key, "successful_job_count") for key in client.scan_iter("rq:worker:*")]
            return sum(int(count or 0) for count in found)

    def runners(self) -> list[str]:
        with psycopg.connect(self.postgres.url) as connection:
            rows = connection.execute(
                "SELECT h.name FROM support_agent_heartbeat h JOIN pg_locks l ON l.locktype = 'advisory'"
                " AND l.objid::bigint = h.lock_key WHERE h.seen_at > now() - interval '15 seconds'"
            )
            return [name for (name,) in rows]


def until(holds: Callable[[], bool], seconds: float = 90.0) -> float:
    """How long it took."""
    began = time.monotonic()
    while True:
        try:
            if holds():
                return time.monotonic() - began
        except (redis.RedisError, psycopg.OperationalError):
            pass
        assert time.monotonic() - began < seconds
        time.sleep(0.2)


@pytest.fixture
def servers() -> Iterator[Servers]:
    # Not pytest's own folder: each run of it closes that to the account PostgreSQL runs as.
    with tempfile.TemporaryDirectory(prefix="absent-", ignore_cleanup_errors=True) as name:
        made = Servers(Postgres(Path(name) / "postgres", durable=False), Valkey(Path(name) / "valkey"), [])
        made.postgres.start()
        made.valkey.start()
        try:
            assert made.manage("migrate", "--verbosity", "0").wait(180) == 0
            yield made
        finally:
            for process in made.started:
                process.terminate()
            for process in made.started:
                process.wait(60)
            made.valkey.stop()
            made.postgres.stop()


def test_scheduler_and_worker_outlive_an_absence_of_redis(servers: Servers) -> None:
    scheduler = servers.manage("rqcron", "--logging-level", "WARNING")
    worker = servers.manage("rqworker-pool", "--verbosity", "0")
    until(lambda: servers.asked() > 0 and servers.served() > 0)
    servers.valkey.stop()
    time.sleep(AWAY_S)
    for kept in servers.valkey.folder.glob("*.rdb"):
        kept.unlink()  # it comes back empty
    servers.valkey.start()
    assert until(lambda: servers.asked() > 0 and servers.served() > 0) < BACK_S
    assert (scheduler.poll(), worker.poll()) == (None, None)
    scheduler.terminate()
    assert scheduler.wait(20) == 0


def test_scheduler_waits_for_a_redis_that_is_not_there_yet(servers: Servers) -> None:
    servers.valkey.stop()
    scheduler = servers.manage("rqcron", "--logging-level", "WARNING")
    time.sleep(5)
    servers.valkey.start()
    until(lambda: servers.asked() > 0)
    assert scheduler.poll() is None


def test_a_runner_outlives_an_absence_of_the_database(servers: Servers) -> None:
    runner = servers.manage("run_agents")
    until(lambda: len(servers.runners()) == 1)
    [before] = servers.runners()
    servers.postgres.stop()
    time.sleep(AWAY_S)
    servers.postgres.start()
    assert until(lambda: [name for name in servers.runners() if name != before] != []) < BACK_S
    assert runner.poll() is None
    runner.terminate()
    assert runner.wait(40) == 0
