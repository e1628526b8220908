"""When people are at the desk, as pure functions of a week, its holidays and a time zone.

Hours are what the wall clock there shows; all arithmetic is in UTC, so that a day on which clocks change has the hours
it really has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

Interval = tuple[int, int]
"""Minutes from midnight, end exclusive: (480, 1080) is 8:00 to 18:00, and 1440 is the midnight that ends the day."""
Span = tuple[datetime, datetime]
DAY_MINUTES = 24 * 60
LOOKED_AHEAD = 3 * 366  # days: no shop is closed for longer
MAX_HOLIDAYS = 200
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_INTERVAL = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*(?:-|–|to)\s*(\d{1,2})(?:[:.](\d{2}))?")
_HOLIDAY = re.compile(r"(?:(\d{4})-)?(\d{1,2})-(\d{1,2})(?:\s*[,;\t]\s*|\s+|$)(.*)")


@dataclass(frozen=True, slots=True)
class Opening:
    """`week` has the intervals of Monday to Sunday, in order and apart; `holidays` maps 'YYYY-MM-DD', or 'MM-DD' for
    every year, to a name."""

    zone: ZoneInfo
    week: tuple[tuple[Interval, ...], ...]
    holidays: Mapping[str, str] = field(default_factory=dict)

    def holiday(self, day: date) -> str | None:
        """The name of the holiday on this day there."""
        found = self.holidays.get(f"{day:%Y-%m-%d}")
        return self.holidays.get(f"{day:%m-%d}") if found is None else found

    def is_workday(self, day: date) -> bool:
        return bool(self.week[day.weekday()]) and self.holiday(day) is None

    def spans(self, day: date) -> Iterator[Span]:
        """The day's openings in UTC; one that a change of clocks swallows whole is left out."""
        for start, end in self.week[day.weekday()] if self.holiday(day) is None else ():
            opens, closes = self.at(day, start), self.at(day, end)
            if opens < closes:
                yield opens, closes

    def at(self, day: date, minutes: int) -> datetime:
        """The moment (UTC) at which the clock there shows so many minutes of this day."""
        whole, rest = divmod(minutes, DAY_MINUTES)
        clock = time(rest // 60, rest % 60)
        return datetime.combine(day + timedelta(days=whole), clock, self.zone).astimezone(UTC)

    def closing_of(self, day: date) -> datetime:
        """When the day's work ends there; of a closed day, when most days' does."""
        last = [end for *_, end in [spans[-1] for spans in self.week if spans]]
        own = self.week[day.weekday()] if self.is_workday(day) else ()
        usual = max(sorted(set(last)), key=last.count)
        return self.at(day, own[-1][1] if own else usual).astimezone(self.zone)

    def is_open(self, now: datetime) -> bool:
        """Whether people are at the desk at this (aware) moment."""
        return any(start <= now < end for start, end in self.spans(now.astimezone(self.zone).date()))

    def next_opening(self, now: datetime) -> datetime:
        """The first opening after now, in the time there."""
        return next(start for start, _ in self._from(now) if start > now).astimezone(self.zone)

    def due_at(self, now: datetime, within: timedelta) -> datetime:
        """When something is due that takes `within` of the time people are there, in UTC."""
        left, due = within, now
        for start, end in self._from(now):
            start = max(start, now.astimezone(UTC))
            due = start + left
            if due <= end:
                break
            left -= end - start
        return due.astimezone(UTC)

    def open_between(self, start: datetime, end: datetime) -> timedelta:
        """How much of the time between two moments people were there."""
        total, day = timedelta(0), start.astimezone(self.zone).date()
        last = end.astimezone(self.zone).date()
        while day <= last:
            for opens, closes in self.spans(day):
                total += max(min(closes, end.astimezone(UTC)) - max(opens, start.astimezone(UTC)), timedelta(0))
            day += timedelta(days=1)
        return total

    def closing_after(self, now: datetime, workdays: int = 0) -> datetime:
        """The end of the workday that many workdays from today; 0 is today's, or the next one's once that is over."""
        day = now.astimezone(self.zone).date()
        if workdays == 0 and now >= self.closing_of(day).astimezone(UTC):
            day += timedelta(days=1)
        for _ in range(LOOKED_AHEAD):
            if not workdays and self.is_workday(day):
                break
            day += timedelta(days=1)
            workdays -= self.is_workday(day) and workdays > 0
        return self.closing_of(day)

    def _from(self, now: datetime) -> Iterator[Span]:
        """The openings that are not over yet, in order; at the end of the calendar looked at, one that never ends."""
        day = now.astimezone(self.zone).date()
        for _ in range(LOOKED_AHEAD):
            yield from (span for span in self.spans(day) if span[1] > now)
            day += timedelta(days=1)
        yield self.at(day, 0), datetime.max.replace(tzinfo=UTC)


def zone_of(name: str) -> ZoneInfo:
    """Raises ValueError with a sentence for people."""
    if name not in available_timezones():
        raise ValueError(f"“{name}” is no time zone. Write one as in the list, such as Europe/Oslo.")
    return ZoneInfo(name)


def read_day(text: str) -> tuple[Interval, ...]:
    """'8:00-12:00, 13-17:30' as intervals; nothing for a closed day. Raises ValueError with a sentence for people."""
    found = []
    for part in filter(None, (part.strip() for part in re.split(r"[,;]|\band\b", text))):
        match = _INTERVAL.fullmatch(part)
        if match is None:
            raise ValueError(f"“{part}” is no span of hours. Write it like 8:00-18:00, several with commas between.")
        start, end = (int(match[at]) * 60 + int(match[at + 1] or 0) for at in (1, 3))
        if any(int(match[at] or 0) > 59 for at in (2, 4)) or end > DAY_MINUTES:
            raise ValueError(f"“{part}” has a time that no clock shows.")
        if end <= start:
            raise ValueError(f"“{part}” ends before it begins. Past midnight, write the rest on the next day.")
        found.append((start, end))
    found.sort()
    if any(later[0] < earlier[1] for earlier, later in pairwise(found)):
        raise ValueError("These hours overlap.")
    return tuple(found)


def read_holidays(text: str) -> dict[str, str]:
    """One a line: '2026-12-24 Christmas Eve', or '12-25 Christmas Day' for every year; a comma may stand between.

    Raises ValueError with a sentence for people that names the line.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not (line := line.strip()):
            continue
        match = _HOLIDAY.fullmatch(line)
        wanted = "Write the date as 2026-12-24, or 12-25 for every year, and then its name."
        if match is None:
            raise ValueError(f"Line {number}, “{line[:40]}”, has no date. {wanted}")
        try:
            day = date(int(match[1] or 2024), int(match[2]), int(match[3]))  # of every year: 29 February too
        except ValueError:
            raise ValueError(f"Line {number}: there is no such day as {line.split()[0][:12]}. {wanted}") from None
        name = " ".join(match[4].split())
        if not name or len(name) > 60:
            raise ValueError(f"Line {number}: a holiday needs a name of at most 60 letters.")
        found[f"{day:%Y-%m-%d}" if match[1] else f"{day:%m-%d}"] = name
    if len(found) > MAX_HOLIDAYS:
        raise ValueError(f"{MAX_HOLIDAYS} holidays at most; these are {len(found)}. Leave out the years that are over.")
    return dict(sorted(found.items()))


def clock(minutes: int) -> str:
    """480 is '8:00'."""
    return f"{minutes // 60}:{minutes % 60:02}"


def write_day(intervals: Sequence[Sequence[int]]) -> str:
    """What `read_day` reads: '8:00-12:00, 13:00-17:30'."""
    return ", ".join(f"{clock(start)}-{clock(end)}" for start, end in intervals)


def write_holidays(holidays: Mapping[str, str]) -> str:
    """What `read_holidays` reads."""
    return "\n".join(f"{day} {name}" for day, name in holidays.items())
