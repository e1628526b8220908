"""Over a real PgBouncer in transaction mode: what an installation with many processes has before its PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit
from uuid import UUID

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from support_agent.doctor.pooler import between
from support_agent.embedded.postgres import as_whom
from support_agent.models import Turn
from tests.faults.client import Client, call
from tests.faults.invariants import violations
from tests.faults.processes import MANAGE, Process
from tests.stack import ROOT, free_port
from tickets.db import in_db

PROGRAM = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
pytestmark = pytest.mark.timeout(180)  # real processes, on a machine that may be busy
needs_pgbouncer = pytest.mark.skipif(
    not Path(PROGRAM).exists(), reason="no pgbouncer (Debian: apt-get install pgbouncer)"
)
# Fewer servers than clients, so that sessions are truly shared. Nobody but this machine's tests gets in.
SETTINGS = """
[databases]
* = {server} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = 5
max_client_conn = 500
server_idle_timeout = 5
logfile = {folder}/pgbouncer.log
"""
LISTENS = """SELECT 1 FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
WHERE a.datname = current_database() AND l.locktype = 'advisory' AND l.granted AND a.query LIKE 'LISTEN%'"""


@pytest.fixture
def direct_url() -> str:
    """Of the tests' database, without anything between."""
    parts = urlsplit(settings.DATABASE_URL)
    return urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))


@contextmanager
def pgbouncer(folder: Path, url: str, mode: str = "transaction") -> Iterator[str]:
    """One in front of that server; the URL through it."""
    parts, port = urlsplit(url), free_port()
    host = parse_qs(parts.query).get("host", [parts.hostname or "127.0.0.1"])[0]
    server = f"host={host}" + (f" port={parts.port}" if parts.port else "")
    config = folder / "pgbouncer.ini"
    config.write_text(SETTINGS.format(server=server, port=port, mode=mode, folder=folder))
    account = as_whom()  # it refuses to be root, and reaches the server's socket
    if account:
        os.chown(folder, account["user"], account["group"])
        for parent in folder.parents[:3]:
            parent.chmod(parent.stat().st_mode | 0o011)
    process = subprocess.Popen([PROGRAM, "--quiet", str(config)], cwd="/", **account)
    through = f"postgresql://postgres@127.0.0.1:{port}{parts.path}"
    try:
        for _ in range(200):
            try:
                psycopg.connect(through, connect_timeout=5).close()
                break
            except psycopg.OperationalError:
                assert process.poll() is None, (folder / "pgbouncer.log").read_text()
                time.sleep(0.05)
        yield through
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


def found(url: str, direct: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    monkeypatch.setattr(settings, "DATABASE_URL", url)
    monkeypatch.setattr(settings, "DATABASE_DIRECT_URL", direct)
    return [(one.state, one.detail) for one in between()]


@needs_pgbouncer
def test_the_doctor_knows_what_stands_between(
    db: None, direct_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found(direct_url, "", monkeypatch) == []
    with pgbouncer(tmp_path, direct_url, "session") as through:
        assert found(through, "", monkeypatch) == [("ok", "DATABASE_URL leads through a pooler in session mode")]
    with pgbouncer(tmp_path, direct_url) as through:
        [(state, detail)] = found(through, "", monkeypatch)
        assert (state, detail) == ("missing", "DATABASE_URL leads through a pooler in transaction mode")
        assert found(through, direct_url, monkeypatch)[0][0] == "ok"
        assert found(through, through, monkeypatch) == [("missing", "DATABASE_DIRECT_URL leads through a pooler too")]
        other = urlunsplit(urlsplit(direct_url)._replace(path="/postgres"))
        [(state, detail)] = found(through, other, monkeypatch)
        assert (state, "another database" in detail) == ("missing", True)


@needs_pgbouncer
async def test_customers_are_answered_through_it_and_runners_listen_past_it(
    transactional_db: None, direct_url: str, tmp_path: Path
) -> None:
    with pgbouncer(tmp_path, direct_url) as through, running(through, direct_url, tmp_path) as (web, runner):
        await until(lambda: bool(rows(direct_url, LISTENS)) and is_up(web))
        clients = [await begin(web) for _ in range(12)]
        asked = [await client.say("Hello there!") for client in clients]
        for client, said in zip(clients, asked, strict=True):
            await client.answered(said, 60)
        states = await in_db(lambda: list(Turn.objects.values_list("state", "attempt")))
        assert states == [("answered", 1)] * 12
        for client in clients:
            await client.close()
            assert client.problems == []
            assert [event["seq"] for event in client.events] == list(range(1, client.seq + 1))
        with psycopg.connect(direct_url, autocommit=True) as database:
            assert violations(database, [UUID(client.conversation_id) for client in clients]) == []
        assert len(rows(direct_url, LISTENS)) == 1  # one session both listens and holds the lock, to the end
        assert not runner.has_ended


def test_commands_of_whole_sessions_go_past_it(transactional_db: None, direct_url: str) -> None:
    environment = environment_of(f"postgresql://nobody@127.0.0.1:{free_port()}/nothing", direct_url)
    command = [*MANAGE, "migrate", "--check"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@contextmanager
def running(through: str, direct: str, folder: Path) -> Iterator[tuple[Process, Process]]:
    environment = environment_of(through, direct)
    web = Process("web", environment, folder / "web.log", free_port())
    runner = Process("runner", environment, folder / "runner.log")
    try:
        for process in (web, runner):
            process.start()
        yield web, runner
    finally:
        for process in (web, runner):
            if process.running is not None:
                process.kill()


def environment_of(through: str, direct: str) -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "support_agent.settings",
        "DATABASE_URL": through,
        "DATABASE_DIRECT_URL": direct,
        "REDIS_URL": settings.REDIS_URL,
        "EMAIL_URL": "",
        "EMBEDDER": "none",  # nothing is searched by meaning here, and loading the model takes seconds
    }


async def begin(web: Process) -> Client:
    made = await asyncio.to_thread(call, [web.url], "/api/v1/conversations", json.dumps({}).encode())
    client = Client([web.socket_url], made["id"], made["token"])
    client.open()
    return client


def is_up(web: Process) -> bool:
    try:
        return bool(call([web.url], "/api/v1/conversations", b"{}"))
    except AssertionError:
        return False


def rows(url: str, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as database:
        return database.execute(sql.encode()).fetchall()


async def until(check: Any, seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(check):  # noqa: ASYNC110  # it happens in other processes
            await asyncio.sleep(0.05)
