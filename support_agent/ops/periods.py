"""The stretch of days a report is about, as it stands in its address, and the one before it to compare with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode

from django.utils import timezone

MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")
LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Period:
    """From `first` to `last`, both included, in UTC; `month` is set when it is a month, which may still be running."""

    first: date
    last: date
    before_first: date
    before_last: date
    month: date | None
    is_running: bool

    @classmethod
    def read(cls, query: Mapping[str, str], today: date | None = None) -> Period:
        """`month=2026-11`, or `from` and `to`; what cannot be read is this month."""
        today = today or timezone.now().date()
        first, last = _day(query.get("from", "")), _day(query.get("to", ""))
        if first and last and not query.get("month"):
            first, last = min(first, last), max(first, last)
            last = min(last, first + LONGEST)
            length = last - first + timedelta(days=1)
            return cls(first, last, first - length, last - length, None, first <= today < last)
        return cls._of_month(_month(query.get("month", "")) or today.replace(day=1), today)

    @classmethod
    def _of_month(cls, first: date, today: date) -> Period:
        """A running month is compared with as many days of the one before: half a month is no decline."""
        last, before = _next(first) - timedelta(days=1), _previous(first)
        before_last = first - timedelta(days=1)
        is_running = first <= today < last
        if is_running:
            last, before_last = today, min(before + (today - first), before_last)
        return cls(first, last, before, before_last, first, is_running)

    @property
    def start(self) -> datetime:
        return _midnight(self.first)

    @property
    def end(self) -> datetime:
        return _midnight(self.last + timedelta(days=1))

    @property
    def before_start(self) -> datetime:
        return _midnight(self.before_first)

    @property
    def before_end(self) -> datetime:
        return _midnight(self.before_last + timedelta(days=1))

    @property
    def name(self) -> str:
        if self.month:
            return f"{self.month:%B %Y}"
        return _days(self.first, self.last)

    @property
    def before_name(self) -> str:
        if self.month and not self.is_running:
            return f"{self.before_first:%B %Y}"
        return _days(self.before_first, self.before_last)

    @property
    def query(self) -> str:
        """How it stands in an address."""
        if self.month:
            return urlencode({"month": f"{self.month:%Y-%m}"})
        return urlencode({"from": self.first.isoformat(), "to": self.last.isoformat()})

    @property
    def earlier(self) -> str:
        """The query of the one before: the month, or as many days."""
        if self.month:
            return urlencode({"month": f"{_previous(self.month):%Y-%m}"})
        return urlencode({"from": self.before_first.isoformat(), "to": self.before_last.isoformat()})

    @property
    def later(self) -> str:
        """The query of the one after it, '' when that has not begun."""
        length = self.last - self.first + timedelta(days=1)
        first = _next(self.month) if self.month else self.first + length
        if first > timezone.now().date():
            return ""
        if self.month:
            return urlencode({"month": f"{first:%Y-%m}"})
        return urlencode({"from": first.isoformat(), "to": (self.last + length).isoformat()})


def _days(first: date, last: date) -> str:
    if first == last:
        return f"{first.day} {first:%B %Y}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{last.day} {last:%B %Y}"
    return f"{first.day} {first:%B}{'' if first.year == last.year else f' {first.year}'} – {last.day} {last:%B %Y}"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _next(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def _previous(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def _month(text: str) -> date | None:
    found = MONTH.fullmatch(text)
    return date(int(found[1]), int(found[2]), 1) if found else None


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 2100 else None
