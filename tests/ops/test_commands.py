"""`costs` and `export_conversation`: figures that add up, the contract's shapes, and one line for a wrong argument."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Count, Sum
from django.test.utils import CaptureQueriesContext

from support_agent.models import Replay, Step, Turn
from support_agent.ops.selectors.costs import BY
from support_agent.ops.selectors.export import conversation_export
from tests.seeded import demo
from tickets.models import Action, Conversation

__all__ = ["demo"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo")]


def run(*arguments: str) -> Any:
    out = StringIO()
    call_command(*arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


@pytest.mark.parametrize("by", BY)
def test_every_grouping_adds_up_to_what_was_spent(by: str) -> None:
    costs = run("costs", "--by", by)
    replays = Replay.objects.aggregate(usd=Sum("cost_usd"))["usd"] or 0
    spent = Step.objects.aggregate(usd=Sum("cost_usd"))["usd"] + replays
    assert costs["by"] == by
    assert costs["total_cost_usd"] == pytest.approx(float(spent), abs=1e-8)
    assert sum(row["cost_usd"] for row in costs["rows"]) == pytest.approx(float(spent), abs=1e-8)
    assert len({row[by] for row in costs["rows"]}) == len(costs["rows"])
    for row in costs["rows"]:
        assert set(row) == {by, "calls", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
                            "cost_usd"}  # fmt: skip


@pytest.mark.parametrize(
    ("by", "rows"),
    [
        ("surface", {"background": (2, 0.05)}),
        ("model", {"claude-opus-5-5": (2, 0.03), "(replay)": (0, 0.02)}),
        ("day", {"2020-02-29": (2, 0.05)}),
        ("month", {"2020-02": (2, 0.05)}),
        *((by, {"(replay)": (2, 0.05)}) for by in ("customer", "conversation", "topic", "tool")),
    ],
)
def test_what_replays_cost_is_part_of_it(by: str, rows: dict[str, tuple[int, float]]) -> None:
    before = run("costs", "--by", by)
    had = {row[by]: row for row in before["rows"]}
    tokens = dict.fromkeys(("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"), 10)
    call = {"kind": "model_call", "model": "claude-opus-5-5", **tokens}
    steps = [
        call | {"cost_usd": 9.0, "how": "taken over"},
        call | {"cost_usd": 0.01},
        {"kind": "tool_call", "tool": "lookup_order", "how": "recorded", "cost_usd": 0.0, **tokens},
        call | {"cost_usd": 0.02},
    ]
    Replay.objects.create(
        turn=Turn.objects.all()[0], state="failed", steps=steps, cost_usd=Decimal("0.05"),
        finished_at=datetime(2020, 2, 29, 23, 59, tzinfo=UTC),
    )  # fmt: skip
    costs = run("costs", "--by", by)
    assert costs["total_cost_usd"] == pytest.approx(before["total_cost_usd"] + 0.05, abs=1e-8)
    for row in costs["rows"]:
        calls, usd = rows.get(row[by], (0, 0.0))
        old = had.get(row[by], dict.fromkeys(row, 0))
        assert row["calls"] == old["calls"] + calls
        assert row["cache_read_tokens"] == old["cache_read_tokens"] + 10 * calls
        assert row["cost_usd"] == pytest.approx(old["cost_usd"] + usd, abs=1e-8)
    assert {row[by] for row in costs["rows"]} == had.keys() | rows.keys()


def test_days_and_models_are_named_as_people_name_them() -> None:
    assert {row["model"] for row in run("costs", "--by", "model")["rows"]} >= {"claude-haiku-5-5", "claude-sonnet-5-5"}
    days = [row["day"] for row in run("costs", "--by", "day")["rows"]]
    assert days == sorted(days)
    assert all(len(day) == 10 for day in days)
    assert "search_knowledge_base" in {row["tool"] for row in run("costs", "--by", "tool")["rows"]}


@pytest.mark.parametrize("arguments", [["--by", "week"], []])
def test_a_wrong_grouping_is_refused(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("costs", *arguments)


def test_an_unknown_conversation_ends_with_two() -> None:
    with pytest.raises(CommandError, match="no conversation") as refusal:
        call_command("export_conversation", "ZZZ-ZZZ")
    assert refusal.value.returncode == 2


def test_the_export_has_what_the_contract_names() -> None:
    action = Action.objects.filter(state="done", tool="request_return").select_related("conversation").first()
    assert action is not None
    reference = action.conversation.reference
    exported = run("export_conversation", reference.lower())
    assert exported == run("export_conversation", str(action.conversation_id))
    assert {"id", "reference", "status", "customer"} <= set(exported["conversation"])
    assert [event["seq"] for event in exported["events"]] == list(range(1, len(exported["events"]) + 1))
    assert {"turns", "tool_calls", "actions", "escalations", "total_cost_usd"} <= set(exported)
    turn = exported["turns"][0]
    assert {"id", "state", "started_at", "duration_ms", "input_tokens", "output_tokens", "cache_read_tokens",
            "cache_write_tokens", "cost_usd", "steps"} <= set(turn)  # fmt: skip
    for step in turn["steps"]:
        assert {"index", "kind", "input", "output", "input_tokens", "output_tokens", "cost_usd", "duration_ms",
                "status"} <= set(step)  # fmt: skip
    assert turn["cost_usd"] == pytest.approx(sum(step["cost_usd"] for step in turn["steps"]))
    assert exported["total_cost_usd"] == pytest.approx(sum(turn["cost_usd"] for turn in exported["turns"]))
    call = next(call for call in exported["tool_calls"] if call["tool"] == "request_return")
    assert {"turn_id", "tool", "arguments", "idempotency_key", "status", "result"} <= set(call)
    assert call["status"] == "success"
    assert [one["state"] for one in exported["actions"]] == ["done"]
    assert "token" not in exported["actions"][0]


def test_the_export_for_people_tells_the_conversation() -> None:
    conversation = Conversation.objects.filter(status="waiting").first()
    assert conversation is not None
    out = StringIO()
    call_command("export_conversation", conversation.reference, stdout=out)
    assert conversation.reference in out.getvalue()
    assert "escalate_to_human" in out.getvalue() or "plan" in out.getvalue()


def test_the_export_takes_as_many_queries_for_many_turns_as_for_one() -> None:
    by_turns = Conversation.objects.select_related("customer").annotate(n=Count("turns")).order_by("n")
    counts = []
    for conversation in (by_turns.first(), by_turns.last()):
        assert conversation is not None
        with CaptureQueriesContext(connection) as queries:
            conversation_export(conversation)
        counts.append(len(queries))
    assert counts[0] == counts[1] == 6


def test_costs_of_a_failed_call_are_kept() -> None:
    turn = Turn.objects.first()
    assert turn is not None
    before = run("costs", "--by", "model")["total_cost_usd"]
    Step.objects.create(turn=turn, index=99, kind="model_call", model="claude-haiku-5-5", status="failed",
                        cost_usd=Decimal("0.5"))  # fmt: skip
    after = run("costs", "--by", "tool")
    assert after["total_cost_usd"] == pytest.approx(before + 0.5)
