"""Help-centre search among 10,000 and 100,000 articles, without the embedder's own time."""

from __future__ import annotations

import json
from typing import Any

from tests.benchmarks.figures import Figure, Section, Setting
from tests.benchmarks.house import House

SIZES, LONG_SIZES = (10_000,), (10_000, 100_000)
HOW = (
    "`manage.py bench_search`: the labelled questions of tests/data/search_labels.yaml, one after another, in one "
    "process, among the demo's articles and synthetic ones of four sections made of their lines; each question's "
    "vector is made before. Recall and MRR ask for the one best of the demo's articles."
)


def measure(setting: Setting) -> Section:
    sizes = LONG_SIZES if setting.is_long else SIZES
    setting.say(f"{' and '.join(f'{size:,}' for size in sizes)} articles")
    with House(setting.folder / "searching", webs=0, runners=0) as house:
        arguments = ["--articles", *map(str, sizes), "--repeats", str(setting.repeats)]
        return section(json.loads(house.manage("bench_search", "--json", *arguments)))


def section(found: dict[str, Any]) -> Section:
    """What `bench_search --json` found."""
    whole = found["quality"].get("fused", {}).get("all", {})
    figures = [Figure(f"{name}, the demo's articles alone", (whole[name],), digits=3) for name in ("recall@5", "mrr")]
    notes = [found["embedder"]]
    for size in found["among"]:
        speed = size["speed"]
        among = f"among {speed[0]['articles']:,} articles"
        bound = 15.0 if speed[0]["articles"] < 20_000 else None
        figures += [
            Figure(f"p50 {among}", tuple(one["p50_ms"] for one in speed), "ms", 1),
            Figure(f"p95 {among}", tuple(one["p95_ms"] for one in speed), "ms", 1, at_most=bound),
            Figure(f"recall@5 {among}", (size["quality"]["recall@5"],), digits=3),
            Figure(f"MRR {among}", (size["quality"]["mrr"],), digits=3),
            Figure(f"nearest sections kept {among}", (size["nearest_kept"],), digits=4),
        ]
        parts = ", ".join(f"{part} {share:.0%}" for part, share in size["parts"].items())
        notes.append(f"Of a search {among} ({speed[0]['sections']:,} sections): {parts}; the rest is Python's.")
    return Section("Help-centre search", HOW, figures, notes)
