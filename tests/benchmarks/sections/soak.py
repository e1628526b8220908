"""Twenty minutes of busy conversations: whether memory grows, and whether anything is left lying."""

from __future__ import annotations

import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from tests.benchmarks.figures import Figure, Section, Setting
from tests.benchmarks.house import House
from tests.benchmarks.load import Load, run_load
from tests.benchmarks.proc import memory

BUSY, MINUTES, MINUTES_SHORT = 50, 20.0, 1.0
PACE = {"small-ttft": 0.6, "medium-ttft": 1.2, "rate": 40}
EVERY_S, EMPTY_S = 10.0, 60.0
WARM = 0.2  # of the time: what is loaded and filled by then is no growth
STEADY = ("web", "runner", "worker", "scheduler")  # PostgreSQL grows until its buffers are full; Redis has few MB
JOBS = "rq:queue:*"
WAITING = {
    "turns queued or running": "SELECT count(*) FROM support_agent_turn WHERE state IN ('queued', 'running')",
    "jobs": "SELECT count(*) FROM tickets_job",
}
HOW = (
    f"{BUSY} busy conversations for {MINUTES:.0f} minutes, with a worker and a scheduler beside web and runner. Memory "
    f"is resident (PSS, with children), every {EVERY_S:.0f} s; 'at the start' is the median of the fifth after the "
    "first fifth, 'at the end' that of the last, growth the slope between by least squares. Then the queues are looked "
    f"at until they are empty, for {EMPTY_S:.0f} s at most."
)
Sizes = dict[str, list[tuple[float, float]]]  # (minutes, MB) by process


def measure(setting: Setting) -> Section:
    """Twenty minutes in the long form; the short one, a minute, is there for trying."""
    minutes = MINUTES if setting.is_long else MINUTES_SHORT
    with House(setting.folder / "house", model=PACE) as house:
        house.add("worker")
        house.add("scheduler")
        people = house.program("tests.benchmarks.people", str(BUSY))
        setting.say(f"{minutes:.0f} minutes of {BUSY} busy conversations")
        with _watched(house) as sizes:
            load = run_load(house, people, seconds=minutes * 60, spread=4.0)
        left = _left(house)
    return Section("Soak", HOW, figures(sizes, left, load))


def figures(sizes: Sizes, left: dict[str, float], load: Load) -> list[Figure]:
    found = [Figure("turns", (len(load.turns),), "", 0), Figure("turns a second", (load.per_second,), "", 1)]
    for name, points in sizes.items():
        steady = [point for point in points if point[0] >= points[-1][0] * WARM]
        fifth = max(1, len(steady) // 4)
        start, end = (statistics.median(size for _, size in part) for part in (steady[:fifth], steady[-fifth:]))
        slope = statistics.linear_regression(*zip(*steady, strict=True)).slope * 60 if len(steady) > 1 else 0.0
        bound = 1.1 if name in STEADY else None
        found += [
            Figure(f"{name}: memory at the start", (start,), "MB", 0),
            Figure(f"{name}: at the end", (end,), "MB", 0),
            Figure(f"{name}: end over start", (end / start,), at_most=bound),
            Figure(f"{name}: growth", (slope,), "MB an hour", 1),
        ]
    found += [Figure(f"left: {name}", (count,), "", 0, at_most=0) for name, count in left.items()]
    return [*found, Figure("turns without their answer", (len(load.failures),), "", 0, at_most=0)]


@contextmanager
def _watched(house: House) -> Iterator[Sizes]:
    """Memory of every process, filled while the block runs."""
    pids = {process.kind: process.pid for process in house.processes}
    pids["postgres"] = int((house.postgres.folder / "postmaster.pid").read_text().split()[0])
    pids["redis"] = int((house.valkey.folder / "valkey.pid").read_text())
    found: Sizes = defaultdict(list)
    done, began = threading.Event(), time.monotonic()

    def watch() -> None:
        while not done.wait(EVERY_S):
            minutes = (time.monotonic() - began) / 60
            for name, pid in pids.items():
                found[name].append((minutes, memory(pid).pss / 1024))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        thread.join()


def _left(house: House) -> dict[str, float]:
    """What still waits, once nothing does or it was waited for long enough."""
    deadline = time.monotonic() + EMPTY_S
    while any((found := waiting(house)).values()) and time.monotonic() < deadline:
        time.sleep(1)
    return found


def waiting(house: House) -> dict[str, float]:
    found = {name: float(house.rows(sql)[0][0]) for name, sql in WAITING.items()}
    with redis.Redis.from_url(house.valkey.url) as server:
        queues = [key for key in server.scan_iter(JOBS) if server.type(key) == b"list"]
        found["jobs in Redis"] = float(sum(server.llen(queue) for queue in queues))
    return found
