"""Keeps the sums by hour and day as the rows are: full hours since the mark, and again those that may have changed.

An hour's sums are deleted and made anew, so that running it twice changes nothing. The running hour is never summed:
pages read it from its rows (ops.selectors.sums).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from support_agent.models import RollupMark, Step, Turn
from support_agent.runtime.buckets import BOUNDS
from support_agent.runtime.rollup_sql import SUMS, days_of, hours_of

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
AGAIN = 3 * HOUR  # summed again each time: a call may be charged after its hour has ended
SLOWEST = timedelta(days=7)  # how long after its message a turn may end and still be noticed
MARK = "all"
LOCK = 7_314_002  # only one process sums at a time


@dataclass(frozen=True, slots=True)
class Summed:
    """How many hours and days were made anew, and up to when every full hour is summed."""

    hours: int
    days: int
    upto: datetime


def floor_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def floor_day(moment: datetime) -> datetime:
    """Midnight UTC; all our times are aware and UTC."""
    return floor_hour(moment).replace(hour=0)


def summed_upto() -> datetime | None:
    """Every full hour before this is summed; None before the first time."""
    return RollupMark.objects.filter(name=MARK).values_list("upto", flat=True).first()


@transaction.atomic
def rollups_run(now: datetime | None = None) -> Summed:
    """Sum the hours that ended since the mark, the last few before it, and those of turns that have ended since."""
    _lock()
    upto = floor_hour(now or timezone.now())
    mark = summed_upto()
    if mark is None:
        return _all(upto)
    start = min(mark, upto) - AGAIN
    late = Turn.objects.filter(created_at__gte=start - SLOWEST, created_at__lt=start, finished_at__gte=start)
    stretches = {floor_hour(moment): HOUR for moment in late.values_list("created_at", flat=True)}
    return _sum([*((hour, hour + HOUR) for hour in sorted(stretches)), (start, upto)], upto)


@transaction.atomic
def rollups_rebuild(now: datetime | None = None) -> Summed:
    """Sum everything there is anew. Hours before the first row that is left (retention) keep their sums."""
    _lock()
    return _all(floor_hour(now or timezone.now()))


def _all(upto: datetime) -> Summed:
    summed = _sum_all(upto)
    with connection.cursor() as cursor:  # the next report is planned for the rows there are now
        for table, *_ in SUMS:
            cursor.execute(f"ANALYZE {table}hour, {table}day")
    return summed


def _sum_all(upto: datetime) -> Summed:
    turn = Turn.objects.order_by("created_at").values_list("created_at", flat=True).first()
    step = Step.objects.order_by("created_at").values_list("created_at", flat=True).first()
    first = min((floor_hour(moment) for moment in (turn, step) if moment is not None), default=upto)
    return _sum([(min(first, upto), upto)], upto)


def _sum(stretches: list[tuple[datetime, datetime]], upto: datetime) -> Summed:
    """Make anew the sums of these hours, and of the full days that they are part of."""
    hours = 0
    days: set[datetime] = set()
    with connection.cursor() as cursor:
        for start, end in stretches:
            if start >= end:
                continue
            hours += (end - start) // HOUR
            days |= {floor_day(start) + DAY * number for number in range((end - HOUR - floor_day(start)) // DAY + 1)}
            for table, select, key, sums in SUMS:
                asked: dict[str, Any] = {"start": start, "end": end, "width": 3600, "bounds": BOUNDS}
                cursor.execute(f"DELETE FROM {table}hour WHERE hour >= %(start)s AND hour < %(end)s", asked)  # noqa: S608
                cursor.execute(hours_of(table, select, key, sums), asked)
        full = sorted(day for day in days if day + DAY <= upto)
        for start, end in _joined(full):
            whole = {"start": start, "end": end}
            for table, _, key, sums in SUMS:
                cursor.execute(f"DELETE FROM {table}day WHERE day >= %(start)s AND day < %(end)s", whole)  # noqa: S608
                cursor.execute(days_of(table, key, sums), whole)
    RollupMark.objects.update_or_create(name=MARK, defaults={"upto": upto})
    return Summed(hours, len(full), upto)


def _joined(days: list[datetime]) -> list[tuple[datetime, datetime]]:
    """Neighbouring days as one stretch: so that a rebuild is one statement, not one a day."""
    joined: list[tuple[datetime, datetime]] = []
    for day in days:
        if joined and joined[-1][1] == day:
            joined[-1] = (joined[-1][0], day + DAY)
        else:
            joined.append((day, day + DAY))
    return joined


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
