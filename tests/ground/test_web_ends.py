"""A web process that is told to end: nothing new is taken, what is asked is answered, and it ends."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from tests.stack import ROOT, Stack, free_port

WAITING = """SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%tickets_article%'"""


@contextmanager
def web(stack: Stack) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Another web process of the running product, and its port."""
    port = free_port()
    command = [sys.executable, "-m", "support_agent.launch.web"]
    process = subprocess.Popen(command, cwd=ROOT, env={**stack.environment, "PORT": str(port)})
    try:
        until(lambda: answers(port))
        yield process, port
    finally:
        process.kill()
        process.wait()


def until(holds: Callable[[], Any], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.timeout(150)
def test_what_is_asked_is_answered_before_it_ends(stack: Stack) -> None:
    found: list[int] = []

    def ask(port: int) -> None:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        line.request("GET", "/help/")
        found.append(line.getresponse().status)

    with web(stack) as (process, port), psycopg.connect(stack.environment["DATABASE_URL"], autocommit=True) as watcher:

        def waiting(number: int) -> bool:
            row = watcher.execute(WAITING).fetchone()
            return bool(row and row[0] >= number)

        with psycopg.connect(stack.environment["DATABASE_URL"]) as holder:
            holder.execute("LOCK TABLE tickets_article IN ACCESS EXCLUSIVE MODE")
            with socket.create_connection(("127.0.0.1", port)) as cut:  # leaves: its thread is never freed
                cut.sendall(b"GET /help/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                until(lambda: waiting(1))
            asking = threading.Thread(target=ask, args=(port,))
            asking.start()
            until(lambda: waiting(2))
            process.send_signal(signal.SIGTERM)
            until(lambda: not answers(port))
            assert not found
        asking.join(30)
        assert found == [200]
        assert process.wait(30) == 0
