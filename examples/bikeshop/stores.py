"""The shop's stores, and the hours at which somebody there has time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Oslo")
FITTING_HOURS, WORKSHOP_HOURS = (10, 13, 16), (9, 11, 14)
DAYS_AHEAD, SUNDAY = 10, 6


@dataclass(frozen=True, slots=True)
class Store:
    key: str
    name: str
    city: str
    address: str
    hours: str = "Monday to Saturday, 09:00 to 18:00"


STORES = (
    Store("oslo", "Fjell Cycles Grünerløkka", "Oslo", "Markveien 40, 0554 Oslo"),
    Store("bergen", "Fjell Cycles Nygårdsgaten", "Bergen", "Nygårdsgaten 21, 5015 Bergen"),
)


def store_of(key: str) -> Store | None:
    return next((store for store in STORES if store.key == key), None)


def times(hours: tuple[int, ...], now: datetime) -> Iterator[datetime]:
    """Every hour of these in the days to come, Sundays left out."""
    today = now.astimezone(ZONE).date()
    for day in (today + timedelta(days=ahead) for ahead in range(1, DAYS_AHEAD + 1)):
        if day.weekday() != SUNDAY:
            yield from (at(day, hour) for hour in hours)


def at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), ZONE)


def spoken(moment: datetime) -> str:
    """'Tuesday 24 November, 10:00', by the stores' clocks."""
    here = moment.astimezone(ZONE)
    return f"{here:%A} {here.day} {here:%B}, {here:%H:%M}"
