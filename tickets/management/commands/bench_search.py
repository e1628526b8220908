"""Figures of help-centre search, in a database of its own that is dropped afterwards."""

from __future__ import annotations

import json
import os
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from tickets.demo.articles import load_articles
from tickets.search import benchmark, embedder_status

LABELS = Path(__file__).resolve().parents[3] / "tests" / "data" / "search_labels.yaml"


def _count(value: str) -> int:
    if not value.isdigit():
        raise ArgumentTypeError(f"{value!r} is not a number of articles")
    return int(value)


class Command(BaseCommand):
    requires_system_checks = ()
    help = "Measure search: recall and MRR on the labelled questions, and its speed among synthetic articles."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true")
        parser.add_argument(
            "--articles", type=_count, nargs="+", default=[10_000], help="synthetic articles (10000; 0: quality only)"
        )
        parser.add_argument("--repeats", type=_count, default=1)
        parser.add_argument("--labels", type=Path, default=LABELS)

    def handle(self, *args: Any, **options: Any) -> None:
        connection.settings_dict["TEST"]["NAME"] = f"bench_search_{os.getpid()}"
        before = connection.settings_dict["NAME"]
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            figures = _measure(benchmark.read_labels(options["labels"]), options["articles"], options["repeats"])
        finally:
            connection.creation.destroy_test_db(before, verbosity=0)
        self.stdout.write(json.dumps(figures, indent=2) if options["json"] else _report(figures))


def _measure(labels: benchmark.Labelled, sizes: list[int], repeats: int) -> dict[str, Any]:
    load_articles()
    halves = {"all": labels, "tuned_on": labels.half(0), "held_out": labels.half(1)}
    figures: dict[str, Any] = {
        "embedder": embedder_status()[1],
        "questions": len(labels.questions),
        "nothing": len(labels.nothing),
        "quality": {
            mode: {half: benchmark.quality(part, finder) for half, part in halves.items()}
            for mode, finder in benchmark.finders().items()
        },
        "among": [],
    }
    there = 0
    for size in sorted(size for size in sizes if size):
        benchmark.add_synthetic(size - there)
        there = size
        figures["among"].append(_among(labels, repeats))
    return figures


def _among(labels: benchmark.Labelled, repeats: int) -> dict[str, Any]:
    """How fast and how good, with as many articles as there are now."""
    with connection.cursor() as cursor:  # what autovacuum does within a minute of an import
        cursor.execute("VACUUM ANALYZE tickets_articlesection, tickets_article")
    questions = [*(question for question, _ in labels.questions), *labels.nothing]
    return {
        "speed": [benchmark.speed(questions) for _ in range(repeats)],
        "parts": benchmark.parts_of_a_search(questions),
        "nearest_kept": benchmark.nearest_kept(questions),
        "quality": benchmark.quality(labels, benchmark.finders()["fused"]),
    }


def _report(figures: dict[str, Any]) -> str:
    names = ["recall@1", "recall@5", "mrr", "right@1", "right@5", "unanswered", "nothing_refused"]
    lines = [
        figures["embedder"],
        f"{figures['questions']} labelled questions, {figures['nothing']} about nothing we know",
        " ".join([f"{'':20}", *(f"{name:>15}" for name in names)]),
    ]
    for mode, halves in figures["quality"].items():
        for half, values in halves.items():
            lines.append(" ".join([f"{mode + ' ' + half:20}", *(f"{values[name]:15.3f}" for name in names)]))
    for found in figures["among"]:
        lines += [
            f"among {speed['articles']:,} articles ({speed['sections']:,} sections), without the model's time: "
            f"p50 {speed['p50_ms']} ms, p95 {speed['p95_ms']} ms over {speed['searches']} searches"
            for speed in found["speed"]
        ]
        lines.append(", ".join(f"{part} {share:.0%}" for part, share in found["parts"].items()))
    return "\n".join(lines)
