"""When a person answers, at the edges of the day and the week (Portland time; UTC-8 in winter, UTC-7 in summer)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tickets.hours import due_at, is_open, when


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "is_it"),
    [
        ("2026-11-20T15:59:59", False),  # Friday 7:59
        ("2026-11-20T16:00:00", True),
        ("2026-11-21T01:59:59", True),  # Friday 17:59
        ("2026-11-21T02:00:00", False),
        ("2026-11-21T20:00:00", False),  # Saturday noon
        ("2026-07-01T15:00:00", True),  # summer time
    ],
)
def test_people_are_there_on_workdays(moment: str, is_it: bool) -> None:
    assert is_open(utc(moment)) is is_it


@pytest.mark.parametrize(
    ("moment", "sentence"),
    [
        ("2026-11-20T20:00:00", "within 15 minutes"),
        ("2026-11-21T01:50:00", "when we open Monday 8:00 (Pacific time)"),
        ("2026-11-21T12:00:00", "when we open Monday 8:00 (Pacific time)"),
        ("2026-11-23T15:00:00", "when we open Monday 8:00 (Pacific time)"),
        ("2026-11-24T03:00:00", "when we open Tuesday 8:00 (Pacific time)"),
    ],
)
def test_a_customer_is_told_when(moment: str, sentence: str) -> None:
    assert when(utc(moment)) == sentence


def test_what_is_due_waits_for_the_next_opening() -> None:
    assert due_at(utc("2026-11-20T20:00:00")) == utc("2026-11-20T20:15:00")
    assert due_at(utc("2026-11-21T01:50:00")) == utc("2026-11-23T16:05:00")
    assert due_at(utc("2026-11-22T12:00:00"), timedelta(hours=1)) == utc("2026-11-23T17:00:00")
