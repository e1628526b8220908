"""How soon each process works, what it takes while it idles, and what 2,000 sockets that say nothing cost."""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import websockets
from rq.cron_scheduler_registry import get_registry_key

from tests.benchmarks.figures import Figure, Section, Setting
from tests.benchmarks.proc import Memory, cpu_s, memory
from tests.faults.house import House
from tests.faults.processes import MANAGE, Process
from tests.stack import ROOT

KINDS = ("web", "runner", "worker", "scheduler")
SOCKETS = 2000
AT_ONCE = 50  # handshakes under way
IDLE_S, IDLE_LONG_S = 12.0, 120.0
READY_S, STEADY_S, SETTLED_S = 120.0, 1.5, 20.0
# Without articles and their vectors nobody loads the search's model.
ARTICLES = """
from django.core.management import call_command
from tickets.demo.articles import load_articles
load_articles()
call_command("index_articles")
"""
WITH_SEARCH = {"EMBEDDER": "minilm", "RATE_LIMIT_SCALE": "1000"}  # beside the house's own settings
BEGIN = """
import json
from tickets.services.conversations import conversation_create
made = (conversation_create(channel="chat", with_token=True) for _ in range({number}))
print(json.dumps([(str(conversation.pk), token) for conversation, token in made]))
"""
Door = tuple[str, str]  # a conversation's id and token


def measure(setting: Setting) -> Section:
    """About a minute and a half; every process is one of a fresh installation with the search's model loaded."""
    section = Section(
        "Processes",
        "Each kind is started alone, time to its own sign of readiness; memory once it no longer changes (PSS: what is "
        f"shared counts by its share). Then {SOCKETS:,} sockets, each of another conversation, that only answer pings.",
    )
    with House(0, kinds=()) as house:
        _shell(house, ARTICLES)
        for kind in KINDS:
            setting.say(f"starting a {kind} {setting.repeats} times")
            found = [_start(house, kind) for _ in range(setting.repeats)]
            section.figures += _of_kind(kind, found)
        setting.say(f"{SOCKETS:,} idle sockets")
        section.figures += _idle(house, IDLE_LONG_S if setting.is_long else IDLE_S)
    section.notes.append("The kernel's own buffers of a socket are not in the process's memory.")
    return section


def _of_kind(kind: str, found: list[tuple[float, Memory]]) -> list[Figure]:
    return [
        Figure(f"{kind}: start", tuple(seconds for seconds, _ in found), "s"),
        Figure(f"{kind}: PSS", tuple(size.pss / 1024 for _, size in found), "MB", 0),
        Figure(f"{kind}: RSS", tuple(size.rss / 1024 for _, size in found), "MB", 0),
    ]


def _start(house: House, kind: str) -> tuple[float, Memory]:
    """Seconds from its start to its readiness, and its memory then."""
    with _one(house, kind) as (process, seconds):
        return seconds, _settled(process)


@contextmanager
def _one(house: House, kind: str) -> Iterator[tuple[Process, float]]:
    """The only process of the house, ready, and the seconds that took."""
    house.redis().flushdb()  # of the one before, nothing is left that looks alive
    began = time.monotonic()
    process = house.add(kind, **WITH_SEARCH)
    try:
        while not _is_ready(house, process):
            if process.has_ended or time.monotonic() - began > READY_S:
                raise RuntimeError(f"{kind} is not ready: {process.log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)
        yield process, time.monotonic() - began
    finally:
        process.kill()
        house.processes.remove(process)


def _is_ready(house: House, process: Process) -> bool:
    if process.kind == "scheduler":
        return bool(house.redis().zcard(get_registry_key()))
    return house.is_ready(process)


def _settled(process: Process) -> Memory:
    """Its memory when that has stayed the same for some seconds: what warms up is warm."""
    found, since = memory(process.pid), time.monotonic()
    deadline = since + SETTLED_S
    while time.monotonic() < min(since + STEADY_S, deadline):
        time.sleep(0.25)
        now = memory(process.pid)
        if abs(now.pss - found.pss) > found.pss / 100:
            found, since = now, time.monotonic()
    return memory(process.pid)


def _idle(house: House, seconds: float) -> list[Figure]:
    """A web process without and with its sockets, and what it works for them."""
    with _one(house, "web") as (web, _), _many_files():
        return asyncio.run(_with_sockets(house, web, seconds))


async def _with_sockets(house: House, web: Process, seconds: float) -> list[Figure]:
    doors = await asyncio.to_thread(_doors, house, SOCKETS + AT_ONCE)
    first = await _connect(web, doors[SOCKETS:])  # what the first ones load is no other's
    await _close(first)
    empty = await asyncio.to_thread(_settled, web)
    sockets = await _connect(web, doors[:SOCKETS])
    full = await asyncio.to_thread(_settled, web)
    began, before = time.monotonic(), cpu_s(web.pid)
    await asyncio.sleep(seconds)
    minute = (cpu_s(web.pid) - before) / (time.monotonic() - began) * 60
    await _close(sockets)
    return [
        Figure("sockets open at once", (float(len(sockets)),), "", 0),
        Figure("memory of a socket (PSS)", ((full.pss - empty.pss) / len(sockets),), "kB", 1),
        Figure(f"web with {SOCKETS:,} sockets: PSS", (full.pss / 1024,), "MB", 0),
        Figure("its CPU in a minute at idle", (minute,), "s"),
    ]


def _doors(house: House, number: int) -> list[Door]:
    return [(id, token) for id, token in json.loads(_shell(house, BEGIN.format(number=number)).splitlines()[-1])]


def _shell(house: House, code: str) -> str:
    """What manage.py shell prints."""
    command, environment = [*MANAGE, "shell", "--no-imports", "-c", code], house.environment | WITH_SEARCH
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


async def _connect(web: Process, doors: list[Door]) -> list[websockets.ClientConnection]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(id: str, token: str) -> websockets.ClientConnection:
        async with gate:
            headers = {"Authorization": f"Bearer {token}"}
            socket = await websockets.connect(
                f"{web.socket_url}/ws/chat/{id}/?after=0",
                additional_headers=headers, ping_interval=None, open_timeout=60, compression=None, proxy=None,
            )  # fmt: skip
            while json.loads(await socket.recv())["type"] != "ready":
                continue
            return socket

    return await asyncio.gather(*(one(id, token) for id, token in doors))


async def _close(sockets: list[websockets.ClientConnection]) -> None:
    for socket in sockets:
        socket.transport.abort()
    await asyncio.gather(*(socket.wait_closed() for socket in sockets))


@contextmanager
def _many_files() -> Iterator[None]:
    """Our ends of the sockets are open files too."""
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, most))
