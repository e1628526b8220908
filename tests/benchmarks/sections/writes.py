"""What a turn costs the database: the product's own writing over the same rows written by plain ORM saves."""

from __future__ import annotations

from typing import Any

from tests.benchmarks.figures import Figure, Section, Setting, ratio
from tests.benchmarks.house import House
from tests.benchmarks.writes import READS

TURNS = 150
HOW = (
    "CPU of all of PostgreSQL's processes and of our threads that call it, per turn of two model calls and one "
    "look-up, with a model that answers at once, without a planner, one turn after another. Ours: submit, claim and a "
    "whole attempt by the product's own functions. Plain: one create() or save() for each row and each change of "
    "state, spends by get_or_create, select_for_update and save, a save of the turn for each step, all through "
    f"database_sync_to_async, with a commit wherever the product has one, after reading {READS}. Both share markdown, "
    "redaction, search, rate limits and the tool. Leases and sweeps, which cost by the second and not by the turn, are "
    "in neither."
)


def measure(setting: Setting) -> Section:
    setting.say("a database of its own")
    with House(setting.folder / "writes", webs=0, runners=0, variables={"EMBEDDER": "none"}) as house:
        server = (house.postgres.folder / "postmaster.pid").read_text().split()[0]
        turns = TURNS * 4 if setting.is_long else TURNS
        setting.say(f"{setting.repeats} x 2 x {turns} turns")
        repeats = house.program("tests.benchmarks.writes", server, str(turns), str(setting.repeats))
    return section(repeats, turns)


def section(repeats: list[dict[str, Any]], turns: int) -> Section:
    """Raises AssertionError when the two did not write the same: then the ratio says nothing."""
    for one in repeats:
        assert one["ours"]["rows"] == one["plain"]["rows"], f"not the same rows: {one}"
    ours, plain = _whole(repeats, "ours"), _whole(repeats, "plain")
    rows = {table: count / turns for table, count in repeats[0]["ours"]["rows"].items()}
    return Section(
        "Database work of a turn",
        HOW,
        [
            Figure("database CPU per turn over plain ORM saves", ratio(ours, plain), at_most=0.45),
            Figure("database CPU per turn", ours, "ms"),
            Figure("of which PostgreSQL", _part(repeats, "ours", "server_ms"), "ms"),
            Figure("of which our threads", _part(repeats, "ours", "threads_ms"), "ms"),
            Figure("with plain ORM saves", plain, "ms"),
            Figure("of which PostgreSQL, plain", _part(repeats, "plain", "server_ms"), "ms"),
            Figure("of which our threads, plain", _part(repeats, "plain", "threads_ms"), "ms"),
        ],
        [
            "Rows of a turn: " + ", ".join(f"{count:.1f} {table}" for table, count in rows.items()) + ".",
            "Steps: " + ", ".join(repeats[0]["kinds"]) + ".",
        ],
    )


def _part(repeats: list[dict[str, Any]], way: str, part: str) -> tuple[float, ...]:
    return tuple(one[way][part] for one in repeats)


def _whole(repeats: list[dict[str, Any]], way: str) -> tuple[float, ...]:
    return tuple(one[way]["server_ms"] + one[way]["threads_ms"] for one in repeats)
