"""The sections of search, pages and writes: what they make of what was measured."""

from __future__ import annotations

import threading
import time
from typing import Any
from uuid import UUID

import pytest

from tests.benchmarks.people import make_people
from tests.benchmarks.sections import pages, searching, writes
from tests.benchmarks.writes import ours, plain
from tests.benchmarks.writes.clocks import DatabaseCpu, database_cpu
from tests.benchmarks.writes.rows import rows_now
from tickets.db import in_db
from tickets.models import Conversation

NOBODY = 2**22 + 1  # above every process id


def way(server: float, threads: float, steps: int = 5) -> dict[str, Any]:
    return {"server_ms": server, "threads_ms": threads, "rows": {"Step": steps * 10}}


def test_writes_are_a_ratio_repeat_by_repeat() -> None:
    repeats = [{"kinds": ["model_call"], "ours": way(2, 2), "plain": way(4, 6)} for _ in range(3)]
    found = writes.section(repeats, turns=10)
    assert found.figures[0].median == 0.4
    assert found.figures[0].holds
    assert "5.0 Step" in found.notes[0]


def test_writes_of_other_rows_are_no_comparison() -> None:
    with pytest.raises(AssertionError, match="not the same rows"):
        writes.section([{"kinds": [], "ours": way(1, 1), "plain": way(1, 1, steps=4)}], turns=10)


def test_search_has_a_target_at_ten_thousand_articles_only() -> None:
    def among(articles: int) -> dict[str, Any]:
        speed = {"articles": articles, "sections": 4 * articles, "p50_ms": 6.0, "p95_ms": 9.0}
        quality = {"recall@5": 0.6, "mrr": 0.5}
        return {"speed": [speed] * 3, "parts": {"vectors": 0.3}, "nearest_kept": 0.998, "quality": quality}

    quality = {"fused": {"all": {"recall@5": 0.8, "mrr": 0.7}}}
    found = searching.section({"embedder": "E.", "quality": quality, "among": [among(10_089), among(100_089)]})
    targets = {figure.name: figure.holds for figure in found.figures if figure.holds is not None}
    assert targets == {"p95 among 10,089 articles": True}
    assert "vectors 30%" in found.notes[1]


def test_pages_name_the_slowest_and_how_they_grow() -> None:
    def desk(steps: int, slow: float) -> dict[str, Any]:
        timed = [("inbox, all", 20.0, 8, ""), ("traces, all", slow, 5, ""), ("gone", None, None, "answered 404")]
        listed = [{"page": p, "median_ms": ms, "queries": q, "note": note} for p, ms, q, note in timed]
        return {"sizes": {"steps": steps}, "pages": listed}

    found = pages.section([desk(100_000, 40.0), desk(1_000_000, 160.0)])
    values = {figure.name: figure.median for figure in found.figures}
    assert values["the slowest, 1,000,000 steps: traces, all"] == 160.0
    assert values["traces, all, over the smaller desk's"] == 4.0
    assert [figure.name for figure in found.figures if figure.holds is False] == [
        "the slowest, 1,000,000 steps: traces, all"
    ]
    assert "gone: answered 404." in found.notes


def test_the_database_cpu_counts_other_threads() -> None:
    done = threading.Event()

    def work() -> None:
        until = time.thread_time() + 0.05
        while time.thread_time() < until:
            pass
        done.wait(5)

    before = database_cpu(NOBODY)
    thread = threading.Thread(target=work)
    thread.start()
    while (used := database_cpu(NOBODY).since(before)).threads < 0.05:
        time.sleep(0.01)
    done.set()
    thread.join()
    assert used.server == 0.0
    assert DatabaseCpu(1.0, 2.0).whole == 3.0


async def test_both_ways_write_the_same_rows(transactional_db: None) -> None:
    seen = ours.Seen()
    first, second = await in_db(make_people, 2)
    before = await in_db(rows_now)
    conversation = await in_db(Conversation.objects.select_related("customer").get, pk=first["conversation"])
    await ours.turn(conversation, f"Where is my order {first['order']}?", seen)
    between = await in_db(rows_now)
    await plain.turn(UUID(second["conversation"]), f"Where is my order {second['order']}?", seen)
    after = await in_db(rows_now)
    written = {table: between[table] - count for table, count in before.items()}
    # The system's hour has its row by then.
    assert {table: after[table] - count for table, count in between.items()} == {
        **written,
        "Spend": written["Spend"] - 1,
    }
    assert written["ToolCall"] == 1
    assert written["Message"] == 2
