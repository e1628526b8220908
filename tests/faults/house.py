"""The whole product over servers of its own, each behind a proxy, every process at hand: what the suite breaks.

PostgreSQL and Redis are the embedded ones in a folder that goes with the suite; the model is the strict fake, and the
records are kept by the example's shop. What the product sees of the four are proxies. Faults are injected by `fault`,
`kill` and the model's scripts, and counted by them. All but `until` is synchronous: a scenario calls what takes long by
asyncio.to_thread.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import jwt
import psycopg
import redis
from rq import Worker

from support_agent.embedded import Postgres, Valkey
from tests.backends.bikeshop import TOKEN, running_bikeshop
from tests.fakes.replies import Reply
from tests.faults.client import Client, call
from tests.faults.figures import Fault, Figures
from tests.faults.model import FaultyModel, new_tag
from tests.faults.processes import MANAGE, Process
from tests.faults.proxy import Proxy
from tests.stack import ROOT, free_port

IDENTITY_SECRET = "of-the-suite-that-breaks-things-and-of-nothing-else-0123456789"
ALONE = {  # what pytest's own settings say already, for a house that another program builds
    "SECRET_KEY": "of-a-house-on-this-machine-and-of-nothing-else-0123456789",
    "ALLOWED_HOSTS": "127.0.0.1",
    "RATE_LIMIT_SCALE": "1000",
    "LOG_LEVEL": "WARNING",
}
# The cast, and no breaker of the whole system: it would rightly close the shop while everything fails.
PREPARE = """
from datetime import timedelta
from django.core.management import call_command
from django.utils import timezone
from support_agent.models import Switch
from tests.cast import make_cast
call_command("migrate", verbosity=0)
make_cast()
for name in ("pause_new", "throttle_new"):
    later = timezone.now() + timedelta(days=1)
    Switch.objects.create(name=name, source="staff", reason="The suite breaks things.", overridden_until=later)
"""


KINDS = ("web", "web", "runner", "runner", "worker", "scheduler")


class House:
    """`with House(seed) as house`: two web processes, two runners, a worker, a scheduler (or `kinds`), all ready."""

    def __init__(self, seed: int, kinds: Sequence[str] = KINDS) -> None:
        self.kinds = kinds
        self.seed, self.dice = seed, random.Random(seed)
        self.figures = Figures()
        self.faults: list[Fault] = []  # of the scenario that runs
        self.clients: list[Client] = []
        self.tags: dict[str, set[str]] = {}  # of each conversation
        self.processes: list[Process] = []
        self.ended: Counter[str] = Counter()  # how often each kind of process ended by itself
        self.folder = Path(tempfile.mkdtemp(prefix="faults-"))
        self.postgres, self.valkey = Postgres(self.folder / "postgres"), Valkey(self.folder / "valkey")
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self._tidy_up)
            for server in (self.postgres, self.valkey):
                server.start()
                stack.callback(server.stop)
            self.model = stack.enter_context(FaultyModel())
            self.to_database = stack.enter_context(Proxy(str(self.postgres.socket_dir / ".s.PGSQL.5432")))
            self.to_redis = stack.enter_context(Proxy(("127.0.0.1", self.valkey.port)))
            self.to_model = stack.enter_context(Proxy(self.model.address))
            self.shop = stack.enter_context(running_bikeshop(self.folder / "shop.sqlite3"))
            self.to_shop = stack.enter_context(Proxy(self.shop.address))
            self.environment = self._environment()
            subprocess.run(
                [*MANAGE, "shell", "--no-imports", "-c", PREPARE], cwd=ROOT, env=self.environment, check=True
            )
            stack.callback(self._end_processes)
            for kind in self.kinds:
                self.add(kind)
            self.wait_ready()
            self._exit = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    # Processes

    def add(self, kind: str, **variables: str) -> Process:
        log = self.folder / f"{kind}-{len(self.processes)}.log"
        process = Process(kind, self.environment | variables, log, free_port() if kind == "web" else 0)
        self.processes.append(process)
        process.start()
        return process

    def of(self, kind: str) -> list[Process]:
        return [process for process in self.processes if process.kind == kind]

    def kill(self, process: Process, whose: set[str] | None = None) -> Fault:
        """kill -9, counted as a fault of those conversations; it is started again at once, as a supervisor would."""
        if whose is None and process.kind == "runner":
            whose = self.run_by(process)
        process.kill()
        now = time.monotonic()
        fault = Fault(f"kill -9 {process.kind}", now, now, whose)
        self.faults.append(fault)
        process.start()
        return fault

    def run_by(self, runner: Process) -> set[str]:
        """The conversations whose turn this runner owns just now."""
        rows = self.rows(
            "SELECT conversation_id::text FROM support_agent_turn WHERE state = 'running' AND owner LIKE %s",
            f"%-{runner.pid}-%",
        )
        return {row[0] for row in rows}

    def runner_of(self, conversation_id: str) -> Process | None:
        """Who runs this conversation's turn just now."""
        rows = self.rows(
            "SELECT owner FROM support_agent_turn WHERE state = 'running' AND conversation_id = %s", conversation_id
        )
        owners = [row[0] for row in rows]
        return next((p for p in self.of("runner") if any(f"-{p.pid}-" in owner for owner in owners)), None)

    def is_ready(self, process: Process) -> bool:
        """Whether it does its work; one that ended by itself is started again, as a supervisor would."""
        if process.has_ended:
            self.ended[process.kind] += 1
            kinds = ", ".join(f"{kind} {count} times" for kind, count in self.ended.items())
            self.figures.notes["ended by themselves, and started again"] = kinds
            process.start()
        match process.kind:
            case "web":
                try:
                    with urllib.request.urlopen(f"{process.url}/healthz", timeout=5):
                        return True
                except OSError:
                    return False
            case "runner":
                return bool(self.rows(RUNNER_READY, f"%-{process.pid}-%"))
            case "worker":
                children = _children(process.pid)
                return any(worker.pid in children for worker in Worker.all(connection=self.redis()))
        return True

    def wait_ready(self, seconds: float = 120.0) -> None:
        deadline = time.monotonic() + seconds
        for process in self.processes:
            while not self._quietly(self.is_ready, process):
                if time.monotonic() > deadline:
                    raise AssertionError(
                        f"{process.kind} is not ready:\n{process.log.read_text(errors='replace')[-3000:]}"
                    )
                time.sleep(0.1)

    # Servers

    def redis(self) -> redis.Redis:
        """Past the proxy."""
        return redis.Redis.from_url(self.valkey.url)

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """A question to the database, past the proxy."""
        with psycopg.connect(self.postgres.url, autocommit=True) as database:
            return database.execute(sql.encode(), parameters).fetchall()

    def restart_postgres(self, *, at_once: bool) -> None:
        """In order, or as a crash does (`at_once`)."""
        if at_once:
            pid = int((self.postgres.folder / "postmaster.pid").read_text().split()[0])
            os.kill(pid, signal.SIGQUIT)
            while Path(f"/proc/{pid}").exists():
                time.sleep(0.02)
        else:
            self.postgres.stop()
        self.postgres.start()

    def kill_redis(self) -> None:
        os.kill(int((self.valkey.folder / "valkey.pid").read_text()), signal.SIGKILL)

    # Faults and customers

    @contextmanager
    def fault(self, kind: str, whose: set[str] | None = None) -> Iterator[Fault]:
        """What the body breaks and mends; it is over at the body's end."""
        now = time.monotonic()
        fault = Fault(kind, now, now, whose)
        self.faults.append(fault)
        try:
            yield fault
        finally:
            fault.over = time.monotonic()

    def plan_fault(self, client: Client, tag: str, number: int, reply: Reply, kind: str) -> None:
        """The model answers the n-th request for this tag so."""

        def note() -> None:
            now = time.monotonic()
            self.faults.append(Fault(kind, now, now, {client.conversation_id}))

        script = self.model.script(tag)
        script.faults[number], script.on_fault = reply, note

    def begin(self, bases: Sequence[Process] = (), *, sub: str = "", email: str = "") -> Client:
        """A new customer, or the one with this `sub` and address, following a new conversation; `bases` are the web
        processes to use, else both."""
        webs = list(bases) or self.of("web")
        if not bases:
            self.dice.shuffle(webs)
        name = uuid4().hex[:12]
        who = {"sub": sub or name, "email": email or f"{name}@example.com", "name": "Casey"}
        claims = {**who, "exp": time.time() + 3600}
        body = json.dumps({"identity": jwt.encode(claims, IDENTITY_SECRET, algorithm="HS256")}).encode()
        made = call([web.url for web in webs], "/api/v1/conversations", body)
        client = Client([web.socket_url for web in webs], made["id"], made["token"])
        self.clients.append(client)
        return client

    def tag(self, client: Client) -> str:
        """A new tag for this conversation's next words."""
        tag = new_tag()
        self.tags.setdefault(client.conversation_id, set()).add(tag)
        return tag

    async def until(self, check: Callable[[], object], seconds: float, what: str) -> None:
        """Wait for something in other processes; raises AssertionError."""
        deadline = time.monotonic() + seconds
        while not await asyncio.to_thread(self._quietly, check):
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {seconds:g} s for {what}")
            await asyncio.sleep(0.01)

    @staticmethod
    def _quietly(check: Callable[..., object], *arguments: object) -> object:
        """A server that is being restarted says no."""
        with suppress(psycopg.OperationalError, redis.RedisError):
            return check(*arguments)
        return False

    def _environment(self) -> dict[str, str]:
        parts = urlsplit(self.valkey.url)
        through = parts._replace(netloc=f":{self.valkey.password}@127.0.0.1:{self.to_redis.port}")
        return {
            **ALONE,
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "support_agent.settings",
            "DATA_DIR": str(self.folder),
            "DATABASE_URL": f"postgresql://postgres@127.0.0.1:{self.to_database.port}/postgres",
            "REDIS_URL": urlunsplit(through),
            "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{self.to_model.port}",
            "ANTHROPIC_API_KEY": self.model.api.api_key,
            "IDENTITY_SECRET": IDENTITY_SECRET,
            "EMAIL_URL": "",
            "BACKEND": "examples.bikeshop.backend.BikeshopBackend",
            "BACKEND_URL": f"http://127.0.0.1:{self.to_shop.port}",
            "BACKEND_TOKEN": TOKEN,
            "EMBEDDER": "none",  # nothing is searched by meaning here, and loading the model takes seconds
            "PYTHONUNBUFFERED": "1",
        }

    def _end_processes(self) -> None:
        for process in self.processes:
            if process.running is not None:
                process.kill()

    def _tidy_up(self) -> None:
        """Where a promise was broken, the logs stay."""
        is_broken = any(row.violations for row in self.figures.rows)
        for folder in (self.postgres.folder, self.valkey.folder) if is_broken else (self.folder,):
            shutil.rmtree(folder, ignore_errors=True)


RUNNER_READY = """
SELECT 1 FROM support_agent_heartbeat h JOIN pg_locks l ON l.locktype = 'advisory' AND l.granted
AND l.objid::bigint = h.lock_key WHERE h.kind = 'runner' AND h.name LIKE %s
"""


def _children(pid: int) -> set[int]:
    """The processes that a pool started."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.add(int(stat.parent.name))
    return found
