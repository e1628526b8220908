"""Sums by hour and day are the sums of the rows, however often they are made and however late a row comes."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from itertools import pairwise
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Sum
from django.utils import timezone

from support_agent.models import RollupMark, Step, StepDay, StepHour, TallyDay, TallyHour, Turn, TurnDay, TurnHour
from support_agent.ops.selectors.pulse import Readings, readings_of
from support_agent.ops.selectors.sums import Piece, pieces
from support_agent.ops.spans import Span
from support_agent.runtime.buckets import bucket_of
from support_agent.runtime.jobs import run_rollups
from support_agent.runtime.rollups import rollups_rebuild, rollups_run
from tests.cast import Cast
from tests.ops.made import talk

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 14, 25, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TABLES = (StepHour, StepDay, TurnHour, TurnDay, TallyHour, TallyDay)


def made(conversation: Any, at: datetime, draw: random.Random, steps: int = 3) -> Turn:
    """A finished turn of random kinds, with its steps a second apart."""
    turn = Turn.objects.create(
        conversation=conversation, created_at=at, surface=draw.choice(["signed_in", "paying"]), step_count=steps,
        state=draw.choice(["answered", "escalated", "failed"]), path=draw.choice(["fast", "planned"]),
        topic=draw.choice(["refund", "return", ""]), prompt_version=draw.choice(["1", "2"]),
        finished_at=at + timedelta(milliseconds=draw.randint(1, 60_000)),
        cost_usd=Decimal(draw.randint(0, 900)) / 10**4,
        first_text_at=at + timedelta(milliseconds=draw.randint(1, 9000)) if draw.random() < 0.8 else None,
    )  # fmt: skip
    for index in range(steps):
        one(turn, index, at + timedelta(seconds=index), draw)
    return turn


def one(turn: Turn, index: int, at: datetime, draw: random.Random) -> Step:
    kind = draw.choice(["model_call", "tool_call", "critic"])
    uses = [{"type": "tool_use", "name": name} for name in draw.sample(["a", "b", "c"], draw.randint(0, 2))]
    output = {"content": uses} if kind == "model_call" else {"words": draw.randint(1, 80)} if kind == "critic" else {}
    return Step.objects.create(
        turn=turn, index=index, kind=kind, created_at=at, output=output,
        model=draw.choice(["small", "large"]) if kind == "model_call" else "",
        tool=draw.choice(["a", "b"]) if kind == "tool_call" else "", status=draw.choice(["ok", "failed", "error"]),
        duration_ms=draw.randint(0, 5000), ttft_ms=draw.randint(1, 900) if kind == "model_call" else None,
        input_tokens=draw.randint(0, 500), cache_read_tokens=draw.randint(0, 500), output_tokens=draw.randint(0, 500),
        cost_usd=Decimal(draw.randint(0, 999_999)) / 10**6 if kind == "model_call" else 0,
    )  # fmt: skip


def desk(cast: Cast, seed: int, turns: int = 24) -> None:
    """Turns of four days until NOW, some in the running hour."""
    draw = random.Random(seed)
    talks = [talk(cast.owner), talk(cast.other), talk()]
    for _ in range(turns):
        made(draw.choice(talks), NOW - timedelta(seconds=draw.randint(5, 4 * 86_400)), draw, draw.randint(1, 4))


def sums_of_rows(upto: datetime) -> dict[tuple[Any, ...], tuple[int, Decimal]]:
    found: dict[tuple[Any, ...], tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    for step in Step.objects.filter(created_at__lt=upto).select_related("turn"):
        hour = step.created_at.replace(minute=0, second=0, microsecond=0)
        key = (hour, step.turn.surface, step.kind, step.model, step.tool, step.status, step.turn.prompt_version)
        number, cost = found[key]
        found[key] = (number + 1, cost + step.cost_usd)
    return dict(found)


def contents() -> list[Any]:
    return [sorted(map(str, model.objects.values(*names_of(model)))) for model in TABLES]


def names_of(model: Any) -> list[str]:
    return [field.name for field in model._meta.fields if field.name != "id"]


@pytest.mark.parametrize("seed", range(3))
def test_an_hours_sums_are_those_of_its_steps(cast: Cast, seed: int) -> None:
    desk(cast, seed)
    rollups_run(NOW)
    hours = StepHour.objects.values_list(
        "hour", "surface", "kind", "model", "tool", "status", "prompt_version", "steps", "cost_usd"
    )
    assert {tuple(row[:7]): (row[7], row[8]) for row in hours} == sums_of_rows(NOW.replace(minute=0, second=0))


@pytest.mark.parametrize("seed", range(2))
def test_days_are_the_sums_of_their_hours_and_today_is_none_yet(cast: Cast, seed: int) -> None:
    desk(cast, seed)
    rollups_run(NOW)
    today = NOW.replace(hour=0, minute=0, second=0)
    for by_hour, by_day, field in ((StepHour, StepDay, "cost_usd"), (TurnHour, TurnDay, "turns"),
                                   (TallyHour, TallyDay, "number")):  # fmt: skip
        for day in (today - DAY, today - 2 * DAY):
            hours = by_hour.objects.filter(hour__gte=day, hour__lt=day + DAY)
            days = by_day.objects.filter(day=day)
            assert hours.aggregate(total=Sum(field)) == days.aggregate(total=Sum(field))
        assert not by_day.objects.filter(day=today).exists()


def test_doing_it_twice_or_all_anew_changes_nothing(cast: Cast) -> None:
    desk(cast, 7)
    first = rollups_run(NOW)
    after = contents()
    assert first.days == 4
    assert any(after)
    assert rollups_run(NOW).hours == 3
    assert contents() == after
    rollups_rebuild(NOW)
    assert contents() == after
    assert RollupMark.objects.get().upto == NOW.replace(minute=0, second=0)


def test_a_step_that_is_charged_late_and_a_turn_that_ends_late_are_caught(cast: Cast) -> None:
    draw = random.Random(1)
    old = made(talk(cast.owner), NOW - 20 * HOUR, draw)
    running = Turn.objects.create(conversation=talk(), created_at=NOW - 9 * HOUR, surface="anonymous", state="running")
    rollups_run(NOW)
    assert TurnHour.objects.get(surface="anonymous").state == "running"

    late = one(old, 9, NOW - 2 * HOUR, draw)
    Turn.objects.filter(pk=running.pk).update(state="answered", finished_at=NOW - HOUR / 2, cost_usd=Decimal("0.5"))
    rollups_run(NOW + HOUR)
    hour = late.created_at.replace(minute=0, second=0)
    assert StepHour.objects.filter(hour=hour).aggregate(n=Sum("steps"))["n"] == 1
    ended = TurnHour.objects.get(surface="anonymous")
    assert (ended.state, ended.turns, ended.cost_usd) == ("answered", 1, Decimal("0.5"))
    assert TallyHour.objects.filter(measure="turn", hour=ended.hour).count() == 1


def test_after_a_pause_every_hour_since_is_summed(cast: Cast) -> None:
    desk(cast, 3, turns=10)
    rollups_run(NOW - 3 * DAY)
    assert rollups_run(NOW).hours == 72 + 3
    after = contents()
    rollups_rebuild(NOW)
    assert contents() == after


def test_what_retention_has_taken_keeps_its_sums(cast: Cast) -> None:
    desk(cast, 4)
    rollups_run(NOW)
    turns = TurnDay.objects.aggregate(n=Sum("turns"))["n"]
    edge = NOW.replace(hour=0, minute=0, second=0) - 2 * DAY
    Turn.objects.filter(created_at__lt=edge).delete()
    rollups_rebuild(NOW)
    assert TurnDay.objects.aggregate(n=Sum("turns"))["n"] == turns


def test_a_call_is_shared_out_among_the_tools_it_asked_for(cast: Cast) -> None:
    turn = made(talk(cast.owner), NOW - 5 * HOUR, random.Random(1), steps=0)
    uses = [{"type": "text", "text": "x"}, *({"type": "tool_use", "name": name} for name in "ab")]
    Step.objects.create(turn=turn, index=0, kind="model_call", model="m", created_at=turn.created_at,
                        output={"content": uses}, cost_usd=Decimal("0.3"))  # fmt: skip
    Step.objects.create(turn=turn, index=1, kind="model_call", model="m", created_at=turn.created_at,
                        output={"content": "no list"}, cost_usd=Decimal("1"))  # fmt: skip
    rollups_run(NOW)
    asked = {row.name: row.cost_usd for row in TallyHour.objects.filter(measure="asked")}
    assert asked == {"a": Decimal("0.15"), "b": Decimal("0.15")}
    customer = TallyHour.objects.get(measure="customer")
    assert (customer.name, customer.number) == (str(cast.owner.pk), 1)


# Reading


def rough(value: Any) -> str:
    """A number as text, whatever zeros it ends with."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def told(found: Readings) -> str:
    """Everything the pages read, in an order of its own."""
    halves = [(half.turns, half.conversations, half.cost_usd, half.judged, half.accepted, half.prompt_tokens,
               sorted((name, sorted(counts.items())) for name, counts in half.spread.items()))
              for half in (found.now, found.before)]  # fmt: skip
    groups = [sorted((name, sorted(map(rough, row.values()))) for name, row in group.items())
              for group in (found.models, found.surfaces, found.paths, found.topics, found.asked)]  # fmt: skip
    bins = [sorted(found.turns.items()), sorted(found.conversations.items()), sorted(found.steps.items()),
            sorted((key, value) for key, value in found.costs.items() if value), sorted(found.clock),
            sorted((key, sorted(value.items())) for key, value in found.answers.items()),
            sorted((key, sorted(value.items())) for key, value in found.tools.items())]  # fmt: skip
    return str((halves, groups, bins, [(row["id"], row["cost_usd"]) for row in found.customers]))


@pytest.mark.parametrize("name", ["hour", "day", "week", "30d"])
def test_a_span_reads_the_same_from_sums_and_from_rows(cast: Cast, name: str) -> None:
    desk(cast, 11, turns=36)
    span = Span.read(name, NOW)
    fresh = told(readings_of(span))
    rollups_run(NOW - 30 * HOUR)  # the job was away since: some from sums, the rest from rows
    assert told(readings_of(span)) == fresh
    rollups_run(NOW)
    assert told(readings_of(span)) == fresh


def test_dates_read_the_same_from_sums_and_from_rows(cast: Cast) -> None:
    desk(cast, 12, turns=36)
    span = Span.of({"from": "2026-11-18", "to": "2026-11-20"}, NOW)
    fresh = told(readings_of(span))
    assert (
        readings_of(span).now.turns == Turn.objects.filter(created_at__gte=span.start, created_at__lt=span.end).count()
    )
    rollups_run(NOW)
    assert told(readings_of(span)) == fresh


def test_pieces_lie_end_to_end_and_take_the_largest() -> None:
    start, upto = NOW - 3 * DAY, NOW.replace(minute=0, second=0)
    found = pieces(start, NOW, upto)
    assert [piece.source for piece in found] == ["row", "hour", "day", "hour", "row"]
    assert found[0].start == start
    assert found[-1].end == NOW
    assert all(first.end == second.start for first, second in pairwise(found))
    assert pieces(start, NOW, None) == [Piece("row", start, NOW)]
    assert pieces(NOW - HOUR, NOW, upto - DAY) == [Piece("row", NOW - HOUR, NOW)]
    assert [piece.source for piece in pieces(start, NOW, upto, by_day=False)] == ["row", *["hour"] * 4, "row"]
    assert pieces(upto - HOUR, upto, upto) == [Piece("hour", upto - HOUR, upto)]


# Commands


def test_the_job_and_the_command(cast: Cast) -> None:
    run_rollups()
    assert RollupMark.objects.count() == 1
    out = StringIO()
    call_command("rollups", "--rebuild", "--json", stdout=out)
    assert json.loads(out.getvalue())["hours"] == 0
    out = StringIO()
    call_command("rollups", stdout=out)
    days = int(timezone.now().hour < 3)  # yesterday's last hours may have changed, and so may its sum
    assert f"3 hours and {days} days summed" in out.getvalue()


def test_a_bucket_of_the_rows_is_the_one_of_the_figure(cast: Cast) -> None:
    turn = made(talk(cast.owner), NOW - 5 * HOUR, random.Random(2), steps=0)
    Turn.objects.filter(pk=turn.pk).update(finished_at=turn.created_at + timedelta(milliseconds=1234))
    rollups_run(NOW)
    assert TallyHour.objects.get(measure="turn").bucket == bucket_of(1234)
