"""The arithmetic of docs/scaling.md: by hand for one load, and its table in a page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.benchmarks.arithmetic import BEGIN, END, LOADS, Assumptions, Inputs, need, scaling_table, update
from tests.stack import ROOT

INPUTS = Inputs(
    web_cpu_ms=20, runner_cpu_ms=60, postgres_cpu_ms=15, redis_cpu_ms=1,
    frames=30, redis_messages=25, commits=20, wal_bytes=50_000,
    model_calls=2, tokens_in=1000, tokens_cached=4000, tokens_out=300,
    rows={"support_agent_step": 5, "tickets_message": 2},
    table_bytes={"support_agent_step": 9000, "tickets_message": 1000},
    bare_step_bytes=400, socket_kb=64, socket_cpu_s=0.6, web_mb=100, runner_mb=400,
)  # fmt: skip
EVEN = Assumptions(peak_factor=1, turns_a_conversation=3, open_minutes=5, turn_s=10, full=0.5)


def test_a_load_by_hand() -> None:
    found = need(INPUTS, 864_000, EVEN)  # ten turns a second
    assert found.turns_s == 10
    assert found.turns_at_once == 100
    assert found.sockets == pytest.approx(1000)  # 10/3 conversations begin each second and stay for 300
    assert found.runner_cores == pytest.approx(10 * 0.060 / 0.5)
    assert found.web_cores == pytest.approx((10 * 0.020 + 0.01) / 0.5)
    assert (found.webs, found.runners) == (2, 2)
    assert found.memory_gb == pytest.approx((200 + 800 + 1000 * 64 / 1024) / 1024)
    assert (found.commits_s, found.redis_s, found.frames_s) == (200, 250, 300)
    assert (found.calls_min, found.tokens_in_min, found.tokens_out_min) == (1200, 600_000, 180_000)
    assert found.rows_day == 864_000 * 7
    assert found.gb_day == pytest.approx(8.64)
    # 90 days whole, 275 days with five bare steps of 400 bytes and the messages
    assert found.gb_year == pytest.approx(864_000 * (90 * 10_000 + 275 * 3000) / 1e9)
    assert found.steps_year == 864_000 * 5 * 365


def test_processes_are_counted_by_what_fills_first() -> None:
    assert need(INPUTS, 86_400_000, EVEN).runners == 120  # 1,000 turns a second, 120 cores
    slow = replace(EVEN, turn_s=60)
    assert need(INPUTS, 86_400_000, slow).runners == 300  # 60,000 turns under way, 200 in each


def test_every_load_is_in_the_table_and_the_table_in_its_page(tmp_path: Path) -> None:
    table = scaling_table(INPUTS)
    assert all(name in table for name, _ in LOADS)
    assert "| `support_agent_step` | 5 | 9,000 |" in table
    page = tmp_path / "scaling.md"
    page.write_text(f"Above.\n{BEGIN}\nold\n{END}\nBelow.\n")
    update(page, table)
    assert page.read_text() == f"Above.\n{BEGIN}\n{table}\n{END}\nBelow.\n"
    update(page, table)
    assert page.read_text().count(BEGIN) == 1
    page.write_text("nothing")
    with pytest.raises(ValueError, match="no place"):
        update(page, table)


def test_the_page_has_its_place() -> None:
    text = (ROOT / "docs" / "scaling.md").read_text()
    assert text.index(BEGIN) < text.index(END)
