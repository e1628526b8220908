"""How far a run is, on stderr, so that stdout stays the report's: a live bar on a terminal, plain lines else."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from decimal import Decimal
from typing import IO, Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from support_agent.evals.run import Result
from support_agent.evals.summary import FAILED, PASSED, SKIPPED

STEPS = 10  # plain lines a run


class Told(Protocol):
    def shown(self) -> AbstractContextManager[Any]:
        """While it is shown."""

    def result(self, result: Result) -> None:
        """One case has ended."""


class Counts:
    """What has come of it so far."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.cost_usd = total, 0, Decimal(0)
        self.by_status = {PASSED: 0, FAILED: 0, SKIPPED: 0}
        self._began = time.monotonic()

    def add(self, result: Result) -> None:
        self.done += 1
        self.cost_usd += result.cost_usd
        self.by_status[result.status] += 1

    def left_s(self) -> float | None:
        """Seconds, by how long the others took."""
        return (time.monotonic() - self._began) / self.done * (self.total - self.done) if self.done else None


class Bar:
    """Cases done, passed, failed, cost and time left, redrawn in place."""

    def __init__(self, stream: IO[str], total: int) -> None:
        self.counts = Counts(total)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f} cases"),
            BarColumn(bar_width=28),
            _Counted(self.counts),
            TimeElapsedColumn(),
            _Left(self.counts),
            console=Console(file=stream, force_terminal=True),
            transient=True,
        )
        self._task = self._progress.add_task("", total=total)

    def shown(self) -> AbstractContextManager[Any]:
        return self._progress

    def result(self, result: Result) -> None:
        self.counts.add(result)
        self._progress.advance(self._task)
        if result.status == FAILED:
            self._progress.console.print(Text(f"FAIL {result.case.id}: {result.failures[0]}", style="red"))


class Lines:
    """A line for each failure, and one for each tenth of the way."""

    def __init__(self, stream: Any, total: int) -> None:
        self.counts, self._stream = Counts(total), stream

    def shown(self) -> AbstractContextManager[Any]:
        return nullcontext()

    def result(self, result: Result) -> None:
        self.counts.add(result)
        if result.status == FAILED:
            self._write(f"FAIL {result.case.id}: {result.failures[0]}")
        done, total = self.counts.done, self.counts.total
        if done * STEPS // total > (done - 1) * STEPS // total:
            self._write(f"{done}/{total} cases, {_counted(self.counts)}")

    def _write(self, line: str) -> None:
        self._stream.write(f"{line}\n")


def _counted(counts: Counts) -> str:
    skipped = f", {counts.by_status[SKIPPED]} skipped" if counts.by_status[SKIPPED] else ""
    return f"{counts.by_status[PASSED]} passed, {counts.by_status[FAILED]} failed{skipped}, {counts.cost_usd:.4f} USD"


class _Counted(ProgressColumn):
    def __init__(self, counts: Counts) -> None:
        super().__init__()
        self._counts = counts

    def render(self, task: Task) -> Text:
        return Text(_counted(self._counts), style="red" if self._counts.by_status[FAILED] else "green")


class _Left(ProgressColumn):
    def __init__(self, counts: Counts) -> None:
        super().__init__()
        self._counts = counts

    def render(self, task: Task) -> Text:
        left = self._counts.left_s()
        if left is None:
            return Text("")
        return Text(f"about {left // 60:.0f} min left" if left >= 90 else f"about {left:.0f} s left", style="dim")
