"""Spans as they stand in an address: presets, dates, what they are compared with, and the bars of their charts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from support_agent.ops.spans import Span, Unit

NOW = datetime(2026, 11, 21, 14, 25, 30, tzinfo=UTC)


def midnight(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T00:00+00:00")


@pytest.mark.parametrize(("name", "start", "bars"), [
    ("hour", datetime(2026, 11, 21, 13, 30, tzinfo=UTC), 12), ("day", datetime(2026, 11, 20, 15, tzinfo=UTC), 24),
    ("week", datetime(2026, 11, 15, tzinfo=UTC), 7), ("30d", datetime(2026, 10, 23, tzinfo=UTC), 30),
    ("90d", datetime(2026, 8, 24, tzinfo=UTC), 13),
])  # fmt: skip
def test_presets_begin_at_a_full_unit_and_end_now(name: str, start: datetime, bars: int) -> None:
    span = Span.read(name, NOW)
    assert (span.start, span.end) == (start, NOW)
    assert span.start - span.before == span.end - span.start
    assert len(span.bars) == bars
    assert span.bars[0] == start
    assert span.bars[-1] <= NOW < span.bars[-1] + timedelta(seconds=span.unit.seconds)
    assert span.query == f"span={name}"


def test_dates_are_whole_days_and_win_over_a_preset() -> None:
    span = Span.of({"from": "2026-11-01", "to": "2026-11-14", "span": "hour"}, NOW)
    assert (span.start, span.end) == (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 15, tzinfo=UTC))
    assert span.before == datetime(2026, 10, 18, tzinfo=UTC)
    assert (span.unit, len(span.bars)) == (Unit.DAY, 14)
    assert (span.since, span.until, span.query) == ("2026-11-01", "2026-11-14", "from=2026-11-01&to=2026-11-14")


@pytest.mark.parametrize(("query", "start", "end"), [
    ({"from": "2026-11-20"}, datetime(2026, 11, 20, tzinfo=UTC), NOW),  # until now
    ({"to": "2026-11-19"}, datetime(2026, 11, 19, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC)),
    ({"from": "2026-11-14", "to": "2026-11-12"}, midnight("2026-11-12"), midnight("2026-11-15")),
    ({"from": "2001-01-01", "to": "2026-11-20"}, midnight("2025-11-20"), midnight("2026-11-21")),
])  # fmt: skip
def test_half_given_turned_round_and_endless_dates(query: dict[str, str], start: datetime, end: datetime) -> None:
    span = Span.of(query, NOW)
    assert (span.start, span.end) == (start, end)


@pytest.mark.parametrize("query", [{}, {"span": "x"}, {"from": "x"}, {"from": "2027-01-01", "to": "2027-02-01"},
                                   {"from": "9999-12-31"}, {"to": "0001-01-01"}])  # fmt: skip
def test_what_cannot_be_read_is_a_day(query: dict[str, str]) -> None:
    assert Span.of(query, NOW) == Span.read("day", NOW)


def test_long_stretches_have_bars_of_weeks_and_short_ones_of_hours() -> None:
    assert Span.of({"from": "2026-01-01"}, NOW).unit is Unit.WEEK
    assert Span.of({"from": "2026-11-19"}, NOW).unit is Unit.HOUR
