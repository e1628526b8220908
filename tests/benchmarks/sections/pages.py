"""Every staff page that shows many rows, over 100,000 steps, and in the long form over 1,000,000."""

from __future__ import annotations

import json
from typing import Any

from tests.benchmarks.figures import Figure, Section, Setting
from tests.benchmarks.house import House

STEPS, LONG_STEPS = 100_000, 1_000_000
STEPS_PER_CONVERSATION = 20
HOW = (
    "`manage.py bench_ops`: ninety days of conversations, turns and steps made by PostgreSQL, then every page as an "
    "admin asks for it, through the whole of Django without the network; medians of five requests after one to warm "
    "up. A page's figure is its server time."
)
SLOW_MS = 150.0


def measure(setting: Setting) -> Section:
    sizes = (STEPS, LONG_STEPS) if setting.is_long else (STEPS,)
    with House(setting.folder / "pages", webs=0, runners=0, variables={"STAFF_MFA": "optional"}) as house:
        found = []
        for steps in sizes:
            setting.say(f"over {steps:,} steps")
            arguments = ["--steps", str(steps), "--conversations", str(steps // STEPS_PER_CONVERSATION)]
            found.append(json.loads(house.manage("bench_ops", "--json", *arguments)))
    return section(found)


def section(found: list[dict[str, Any]]) -> Section:
    """What `bench_ops --json` found, the smallest desk first."""
    by_size = [{page["page"]: page for page in one["pages"] if page["median_ms"] is not None} for one in found]
    figures = [figure for one in found for figure in _of_all(one)]
    for name, page in by_size[-1].items():
        figures.append(Figure(f"{name} ({page['queries']} queries)", (page["median_ms"],), "ms", 0))
        if len(by_size) > 1 and name in by_size[0]:
            ratio = page["median_ms"] / by_size[0][name]["median_ms"]
            figures.append(Figure(f"{name}, over the smaller desk's", (ratio,), "x", 1))
    notes = [f"{page['page']}: {page['note']}." for one in found for page in one["pages"] if page["note"]]
    return Section("Staff pages over many steps", HOW, figures, notes)


def _of_all(one: dict[str, Any]) -> list[Figure]:
    timed = [page for page in one["pages"] if page["median_ms"] is not None]
    slowest = max(timed, key=lambda page: float(page["median_ms"]))
    steps = f"{one['sizes']['steps']:,} steps"
    return [
        Figure(f"the middle page, {steps}", tuple(page["median_ms"] for page in timed), "ms", 0),
        Figure(f"the slowest, {steps}: {slowest['page']}", (slowest["median_ms"],), "ms", 0, at_most=SLOW_MS),
        Figure(f"most queries of a page, {steps}", (max(page["queries"] for page in timed),), "", 0),
    ]
