"""What every peer shares: its arguments, the conversations in one event loop, and the line of figures.

Only the standard library: it runs in each peer's own environment.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.benchmarks.figures import percentile

Json = dict[str, Any]
Saw = Callable[[], None]  # to be called with the first text that a customer would see
Turn = Callable[[str, Saw], Awaitable[str]]  # one question to its whole answer

START_OVER_S = 3.0  # the conversations begin one after another within about a turn, so that they do not go in step
TOO_LONG_S = 60.0  # a turn that takes this long hangs


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments; `equal` is what equal.py wrote, `client` one of the SDK's two ways to HTTP."""

    url: str
    client: str
    concurrency: int
    turns: int
    warm: int
    equal: Json


@dataclass(frozen=True, slots=True)
class Ended:
    """One turn: seconds to the first text and to the end."""

    first_s: float
    whole_s: float


class Counted:
    """The turns that ended, in order, and the process's time when the measured ones began and ended."""

    def __init__(self, warm: int, turns: int) -> None:
        self._warm, self._all = warm, warm + turns
        self._ended: list[Ended] = []
        self._marks: list[tuple[float, float]] = []
        self.full = asyncio.Event()
        if not warm:
            self._mark()

    def add(self, turn: Ended) -> None:
        self._ended.append(turn)
        if len(self._ended) in (self._warm, self._all):
            self._mark()
        if len(self._ended) == self._all:
            self.full.set()

    def figures(self) -> Json:
        """What is measured lies between two ends of turns: all conversations are busy at both."""
        (began_cpu, began), (ended_cpu, ended) = self._marks
        measured = self._ended[self._warm : self._all]
        first, whole = [turn.first_s for turn in measured], [turn.whole_s for turn in measured]
        return {
            "turns": len(measured),
            "cpu_s": ended_cpu - began_cpu,
            "wall_s": ended - began,
            "first_p50_s": percentile(first, 0.5),
            "first_p95_s": percentile(first, 0.95),
            "turn_p50_s": percentile(whole, 0.5),
            "turn_p95_s": percentile(whole, 0.95),
        }

    def _mark(self) -> None:
        spent = os.times()
        self._marks.append((spent.user + spent.system, time.monotonic()))


async def measure(given: Given, turn: Turn) -> Json:
    """Keep all conversations busy without think time until enough turns have ended. Raises what a turn raises."""
    counted = Counted(given.warm, given.turns)
    talks = [asyncio.create_task(_talk(given, turn, counted, number)) for number in range(given.concurrency)]
    full = asyncio.create_task(counted.full.wait())
    done, _ = await asyncio.wait([full, *talks], return_when=asyncio.FIRST_COMPLETED)
    for task in (full, *talks):
        task.cancel()
    if full not in done:
        await next(iter(done))
    await asyncio.gather(*talks, return_exceptions=True)
    return counted.figures()


async def _talk(given: Given, turn: Turn, counted: Counted, number: int) -> None:
    """One turn after another; each is a conversation of its own, with one message of the customer."""
    await asyncio.sleep(START_OVER_S * number / given.concurrency)
    while True:
        counted.add(await _once(turn))


async def _once(turn: Turn) -> Ended:
    first: list[float] = []
    began = _now()
    async with asyncio.timeout(TOO_LONG_S):
        text = await turn(f"Where is my order AP-104233? #{uuid4().hex[:12]}", lambda: first.append(_now()))
    if not first or not text.rstrip().endswith("."):
        raise RuntimeError(f"no whole answer: {text!r}")
    return Ended(first[0] - began, _now() - began)


def _now() -> float:
    return time.monotonic()


def main(make: Callable[[Given], Turn]) -> None:
    """Read the arguments, measure what `make` makes of them, and write one line of JSON."""
    options = argparse.ArgumentParser()
    options.add_argument("--url", required=True)
    options.add_argument("--client", choices=["default", "aiohttp"], default="default")
    options.add_argument("--concurrency", type=int, default=50)
    options.add_argument("--turns", type=int, required=True)
    options.add_argument("--warm", type=int, default=50)
    options.add_argument("--equal", type=Path, required=True)
    told = vars(options.parse_args())
    given = Given(**{**told, "equal": json.loads(told["equal"].read_text("utf-8"))})

    async def run() -> Json:
        return await measure(given, make(given))

    sys.stdout.write(json.dumps(asyncio.run(run())) + "\n")
