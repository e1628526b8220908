"""What a run of the suite measured, and the table it leaves in docs/reliability.md."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- figures of make faults: begin -->", "<!-- figures of make faults: end -->"


@dataclass(slots=True)
class Fault:
    """One thing that was broken: from when, until when, and whose conversations (None: anybody's)."""

    kind: str
    began: float
    over: float
    whose: set[str] | None = None


@dataclass(slots=True)
class Row:
    """The figures of one scenario."""

    name: str
    faults: int
    violations: list[str]
    recoveries: list[float]
    seconds: float


@dataclass(slots=True)
class Figures:
    """All rows of a run, and what else is worth saying of it."""

    rows: list[Row] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    @property
    def recoveries(self) -> list[float]:
        return [seconds for row in self.rows for seconds in row.recoveries]

    def table(self, seed: int) -> str:
        """Markdown: a row a scenario, the totals, and where it was measured."""
        lines = ["| scenario | faults | violations | recoveries | p50 | p95 |", "|---|--:|--:|--:|--:|--:|"]
        lines += [_line(row.name, row.faults, len(row.violations), row.recoveries) for row in self.rows]
        faults = sum(row.faults for row in self.rows)
        lines.append(_line("**all**", faults, sum(len(row.violations) for row in self.rows), self.recoveries))
        lines += ["", *(f"- {name}: {value}" for name, value in self.notes.items())]
        minutes = (time.monotonic() - self.began) / 60
        where = f"{os.cpu_count()} cores (load {os.getloadavg()[0]:.1f}), {minutes:.0f} minutes"
        versions = f"Python {platform.python_version()}, Django {version('django')}, Daphne {version('daphne')}"
        lines.append(f"- {datetime.now(UTC):%Y-%m-%d}, {where}, {versions}, seed {seed}")
        return "\n".join(lines)

    def write(self, seed: int) -> None:
        before, _, rest = DOCUMENT.read_text("utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        DOCUMENT.write_text(f"{before}{BEGIN}\n{self.table(seed)}\n{END}{after}", "utf-8")


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest value at or above `share` of them."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _line(name: str, faults: int, violations: int, recoveries: Sequence[float]) -> str:
    figures = ("–", "–")
    if recoveries:
        figures = (f"{statistics.median(recoveries):.1f} s", f"{percentile(recoveries, 0.95):.1f} s")
    return f"| {name} | {faults} | {violations} | {len(recoveries)} | {figures[0]} | {figures[1]} |"
