"""The stretch of time a page of figures is about, as it stands in its address: a preset until now, or two dates.

Presets begin at a full unit, so that every bar but the last is whole. What cannot be read is a day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum

from django.utils import timezone

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DEFAULT = "day"
LONGEST = 366 * DAY


class Unit(Enum):
    """What one bar of a chart stands for, in seconds."""

    MINUTES = 300
    HOUR = 3600
    DAY = 86_400
    WEEK = 604_800

    @property
    def seconds(self) -> int:
        return self.value

    @property
    def noun(self) -> str:
        return "five minutes" if self is Unit.MINUTES else self.name.lower()


@dataclass(frozen=True, slots=True)
class Preset:
    label: str
    unit: Unit
    units: int  # the running one included
    shown: Unit | None = None  # what one bar stands for, when not one unit


PRESETS = {
    "hour": Preset("Hour", Unit.MINUTES, 12),
    "day": Preset("Day", Unit.HOUR, 24),
    "week": Preset("7 days", Unit.DAY, 7),
    "30d": Preset("30 days", Unit.DAY, 30),
    "90d": Preset("90 days", Unit.DAY, 90, Unit.WEEK),
}
CUSTOM = "dates"


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to `end`, beside the equally long one from `before` to `start`. Times are UTC."""

    name: str
    before: datetime
    start: datetime
    end: datetime
    unit: Unit

    @classmethod
    def read(cls, name: str, now: datetime | None = None) -> Span:
        """The preset of this name that ends now."""
        name = name if name in PRESETS else DEFAULT
        preset, end = PRESETS[name], now or timezone.now()
        running = datetime.fromtimestamp(end.timestamp() // preset.unit.seconds * preset.unit.seconds, UTC)
        start = running - timedelta(seconds=preset.unit.seconds) * (preset.units - 1)
        return cls(name, start - (end - start), start, end, preset.shown or preset.unit)

    @classmethod
    def of(cls, query: Mapping[str, str], now: datetime | None = None) -> Span:
        """`from` and `to` (days, both included) win over `span`; `from` alone goes on until today, `to` is one day."""
        now = now or timezone.now()
        first, last = _date(query.get("from", "")), _date(query.get("to", ""))
        if first is None and last is None:
            return cls.read(query.get("span", ""), now)
        first, last = sorted((first or last or now.date(), last or now.date()))
        start = max(_midnight(first), _midnight(last) + DAY - LONGEST)
        end = min(_midnight(last) + DAY, now)
        if start >= end:  # a day that has not begun
            return cls.read(DEFAULT, now)
        days = (end - start) / DAY
        unit = Unit.HOUR if days <= 3 else Unit.DAY if days <= 45 else Unit.WEEK
        return cls(CUSTOM, start - (end - start), start, end, unit)

    @property
    def query(self) -> str:
        """As it stands in an address."""
        return f"from={self.since}&to={self.until}" if self.name == CUSTOM else f"span={self.name}"

    @property
    def since(self) -> str:
        return self.start.date().isoformat()

    @property
    def until(self) -> str:
        """The last day of which it has any part."""
        return (self.end - timedelta(microseconds=1)).date().isoformat()

    @property
    def bars(self) -> list[datetime]:
        """When each bar of a chart begins."""
        length = timedelta(seconds=self.unit.seconds)
        return [self.start + length * number for number in range(-(-(self.end - self.start) // length))]

    @property
    def before_words(self) -> str:
        """What it is compared with."""
        noun = {"hour": "hour", "day": "day", "week": "7 days", "30d": "30 days", "90d": "90 days"}.get(self.name)
        return f"the {noun} before" if noun else "the equally long time before"


def _date(value: str) -> date | None:
    try:
        found = date.fromisoformat(value)
    except ValueError:
        return None
    return found if date(2000, 1, 1) <= found <= date(2999, 12, 31) else None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
