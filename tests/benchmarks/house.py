"""The whole product with servers of its own, as it runs in production, for measuring: `with House(folder) as house`.

PostgreSQL keeps its durability (fsync is on), the model is the loopback fake in a process of its own, and nothing that
measures runs in a process that is measured.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Self

import psycopg

from support_agent.embedded import Postgres, Valkey
from tests.benchmarks.cpu import cpu_seconds
from tests.faults.processes import Process
from tests.stack import ROOT, free_port

READY_S = 120.0
SECRET_KEY = "of-a-benchmark-on-this-machine-and-of-nothing-else-0123456789"
RUNNERS = "SELECT count(*) FROM support_agent_heartbeat WHERE kind = 'runner'"


class House:
    """Web processes, runners and the fake model over an empty, migrated database. `cpu` says what each has used."""

    def __init__(
        self,
        folder: Path,
        *,
        webs: int = 1,
        runners: int = 1,
        model: Mapping[str, float] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """`model` are arguments of tests.benchmarks.model, as {"small-ttft": 0.6}; `variables` are the product's."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._model, self._variables = folder, dict(model or {}), dict(variables or {})
        self._webs, self._runners = webs, runners
        self.postgres, self.valkey = Postgres(folder / "postgres"), Valkey(folder / "valkey")
        self.model_port = free_port()
        self.processes: list[Process] = []
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for server in (self.postgres, self.valkey):
                server.start()
                stack.callback(server.stop)
            self._start_model(stack)
            self.manage("migrate", "--verbosity", "0")
            stack.callback(self._end_processes)
            for _ in range(self._webs):
                self.add("web")
            for _ in range(self._runners):
                self.add("runner")
            self.wait_ready()
            self._exit = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "support_agent.settings",
            "DATA_DIR": str(self.folder),
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.valkey.url,
            "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{self.model_port}",
            "ANTHROPIC_API_KEY": "test-key",
            "SECRET_KEY": SECRET_KEY,
            "ALLOWED_HOSTS": "127.0.0.1",
            "EMAIL_URL": "",
            "LOG_LEVEL": "WARNING",
            "RATE_LIMIT_SCALE": "1000",  # nobody who types says so much
            **self._variables,
        }

    def of(self, kind: str) -> list[Process]:
        return [process for process in self.processes if process.kind == kind]

    def add(self, kind: str) -> Process:
        log = self.folder / f"{kind}-{len(self.processes)}.log"
        process = Process(kind, self.environment, log, free_port() if kind == "web" else 0)
        self.processes.append(process)
        process.start()
        return process

    def end(self, process: Process) -> None:
        process.kill()
        self.processes.remove(process)

    def wait_ready(self) -> None:
        """Raises AssertionError with the log of what does not come up."""
        deadline = time.monotonic() + READY_S
        while not all(map(_answers, self.of("web"))) or self.rows(RUNNERS)[0][0] < len(self.of("runner")):
            if time.monotonic() > deadline:
                logs = "\n".join(process.log.read_text(errors="replace")[-2000:] for process in self.processes)
                raise AssertionError(f"not ready in {READY_S:g} s:\n{logs}")
            time.sleep(0.1)

    def cpu(self) -> dict[str, float]:
        """CPU seconds so far: web, runner (all of them together), postgres, redis, and the fake's as `model`."""
        groups = {f"{process.kind} {index}": process.pid for index, process in enumerate(self.processes)}
        groups["postgres"] = int((self.postgres.folder / "postmaster.pid").read_text().split()[0])
        groups["redis"] = int((self.valkey.folder / "valkey.pid").read_text())
        groups["model"] = self._model_pid
        found: dict[str, float] = {}
        for name, seconds in cpu_seconds(groups).items():
            kind = name.split()[0]
            found[kind] = found.get(kind, 0.0) + seconds
        return found

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.postgres.url, autocommit=True) as database:
            return database.execute(sql.encode(), parameters).fetchall()

    def manage(self, *arguments: str) -> str:
        """What a manage.py command prints; raises AssertionError with its errors."""
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def program(self, module: str, *arguments: str) -> Any:
        """What a program of ours prints as JSON, run in a process of its own with the product's environment."""
        command = [sys.executable, "-m", module, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def calls(self) -> list[dict[str, Any]]:
        """What the fake noted of each call since it was last asked to forget: tests/benchmarks/model.py."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.model_port}/calls", timeout=30) as answer:
            found: list[dict[str, Any]] = json.loads(answer.read())["calls"]
        return found

    def forget_calls(self) -> None:
        request = urllib.request.Request(f"http://127.0.0.1:{self.model_port}/calls", method="DELETE")
        with urllib.request.urlopen(request, timeout=30):
            return

    def _start_model(self, stack: ExitStack) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.model", "--port", str(self.model_port)]
        for name, value in self._model.items():
            command += [f"--{name}", f"{value:g}"]
        process = subprocess.Popen(command, cwd=ROOT)
        self._model_pid = process.pid
        stack.callback(process.wait, 10)
        stack.callback(process.terminate)
        deadline = time.monotonic() + 20
        while not _is_there(f"http://127.0.0.1:{self.model_port}/healthz"):
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("the fake model did not start")
            time.sleep(0.05)

    def _end_processes(self) -> None:
        for process in self.processes:
            process.kill()


def _answers(web: Process) -> bool:
    return _is_there(f"{web.url}/healthz")


def _is_there(url: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(url, timeout=5):
        return True
    return False
