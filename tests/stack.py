"""The whole product, running: web, runner, worker and scheduler under the supervisor, over a database of its own.

For what only the real thing shows: sockets, browsers, processes that die. Tests reach it by HTTP, sockets, a browser
and `manage`; its database is seeded with the demo, and shared by the tests of one worker.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from django.conf import settings

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 240.0
SHARED = "stack"
"""The one that all tests of a worker use; others stand beside it."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A running product: `url` without a trailing slash, the environment of its processes, its launcher."""

    url: str
    environment: dict[str, str]
    process: subprocess.Popen[bytes]
    log: Path
    _demo: dict[str, Any] = field(default_factory=dict)

    def manage(self, *arguments: str) -> str:
        """What a manage.py command prints; its failure is the test's."""
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True
        ).stdout

    def manage_json(self, *arguments: str) -> Any:
        return json.loads(self.manage(*arguments, "--json"))

    def demo(self) -> Any:
        """The demo's cast, as `seed_demo --json` prints it; asked once."""
        if not self._demo:
            self._demo.update(self.manage_json("seed_demo"))
        return self._demo


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


WIDGET_HOST = f"http://localhost:{free_port()}"
"""A site that may embed the widget; tests/browser/test_widget.py serves it."""


def ready(url: str) -> bool:
    """Whether /readyz says that everything is there."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def fresh_database(name: str) -> str:
    """An empty database of that name beside the tests' own; its URL."""
    parts = urlsplit(settings.DATABASE_URL)
    with psycopg.connect(urlunsplit(parts._replace(path="/postgres")), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')  # type: ignore[arg-type,unused-ignore]
        connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type,unused-ignore]
    return urlunsplit(parts._replace(path=f"/{name}"))


def fresh_redis(number: int) -> str:
    url = urlunsplit(urlsplit(settings.REDIS_URL)._replace(path=f"/{number}"))
    redis.Redis.from_url(url).flushdb()
    return url


@contextmanager
def running_stack(name: str, **variables: str) -> Iterator[Stack]:
    """Start `make run`'s launcher and end it as Ctrl-C does."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    port = free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": fresh_database(f"{name}_{worker}"),
        "REDIS_URL": fresh_redis((8 if name == SHARED else 12) + worker % 4),  # two at once never share their jobs
        "DJANGO_SETTINGS_MODULE": "support_agent.settings",
        "EMAIL_URL": "",
        "WIDGET_ORIGINS": WIDGET_HOST,
        "PORT": str(port),
        **variables,
    }
    log = Path(tempfile.mkdtemp(prefix="stack-")) / "launch.log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "support_agent.launch"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    stack = Stack(f"http://127.0.0.1:{port}", environment, process, log)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not ready(stack.url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"The product did not start:\n{log.read_text()[-4000:]}")
            time.sleep(0.2)
        yield stack
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(40)
