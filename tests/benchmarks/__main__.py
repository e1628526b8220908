"""`make bench`: every section in its order, a table for each, docs/performance.md and docs/scaling.md.

    python -m tests.benchmarks [--long] [--only turns,loads] [--repeats 3] [--no-write]

Progress goes to stderr, tables to stdout. Exit code 1 when a section failed or a target does not hold.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.benchmarks import arithmetic, report, turn_cost
from tests.benchmarks.figures import Measure, Section, Setting
from tests.benchmarks.machine import circumstances
from tests.benchmarks.sections import costs, lengths, loads, pages, processes, searching, soak, turns, writes
from tests.stack import ROOT

PERFORMANCE, SCALING = ROOT / "docs" / "performance.md", ROOT / "docs" / "scaling.md"
SECTIONS: dict[str, Measure] = {
    "turns": turns.measure,
    "loads": loads.measure,
    "lengths": lengths.measure,
    "writes": writes.measure,
    "searching": searching.measure,
    "pages": pages.measure,
    "processes": processes.measure,
    "costs": costs.measure,
}
LONG_SECTIONS: dict[str, Measure] = {"soak": soak.measure}


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    options = _options(arguments)
    began, load = time.monotonic(), os.getloadavg()[0]
    console = Console()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        setting = Setting(Path(folder), _say, options.repeats, options.long)
        outcomes = []
        for name in _chosen(options):
            outcomes.append(report.measured(name, {**SECTIONS, **LONG_SECTIONS}[name], setting))
            report.show(console, outcomes[-1])
        is_whole = not options.only and not options.no_write
        scaled = not is_whole or _scaling(setting, outcomes)
    if is_whole:
        lines = circumstances(load, repeats=options.repeats, is_long=options.long, seconds=time.monotonic() - began)
        arithmetic.update(PERFORMANCE, report.page(outcomes, lines))
        _say(f"written: {PERFORMANCE.relative_to(ROOT)}")
    return 0 if scaled and all(outcome.holds for outcome in outcomes) else 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument("--long", action="store_true", help="larger sizes, and a soak of 20 minutes")
    parser.add_argument("--only", default="", metavar="NAME,…", help=f"of {', '.join({**SECTIONS, **LONG_SECTIONS})}")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--no-write", action="store_true", help="leave the pages as they are")
    found = parser.parse_args(arguments)
    if unknown := set(filter(None, found.only.split(","))) - {*SECTIONS, *LONG_SECTIONS}:
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    return found


def _chosen(options: argparse.Namespace) -> list[str]:
    if options.only:
        return [name for name in {**SECTIONS, **LONG_SECTIONS} if name in options.only.split(",")]
    return [*SECTIONS, *(LONG_SECTIONS if options.long else ())]


def _scaling(setting: Setting, outcomes: Sequence[report.Outcome]) -> bool:
    """Measure the arithmetic's inputs and write its page; False when that failed."""
    known = next((one.section for one in outcomes if one.name == "processes" and one.section), None)
    if known is None:
        _say("scaling: left as it is, for the processes were not measured")
        return False

    def measure(given: Setting) -> Section:
        arithmetic.update(SCALING, arithmetic.scaling_table(turn_cost.measure_inputs(given, known)))
        return Section("Scaling", "")

    return report.measured("scaling", measure, setting).holds


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
