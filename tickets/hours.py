"""When people answer: Monday to Friday, 8:00-18:00 in Portland; the assistant answers always."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

SHOP = ZoneInfo("America/Los_Angeles")
OPENS, CLOSES = time(8), time(18)
WORKDAYS = range(5)
FIRST_REPLY = timedelta(minutes=15)


def is_open(now: datetime) -> bool:
    """Whether people are at the desk at this (aware) moment."""
    here = now.astimezone(SHOP)
    return here.weekday() in WORKDAYS and OPENS <= here.time() < CLOSES


def next_opening(now: datetime) -> datetime:
    """The first opening after now, in the shop's time."""
    here = now.astimezone(SHOP)
    day = here.date() if here.time() < OPENS else here.date() + timedelta(days=1)
    while day.weekday() not in WORKDAYS:
        day += timedelta(days=1)
    return datetime.combine(day, OPENS, SHOP)


def due_at(now: datetime, within: timedelta = FIRST_REPLY) -> datetime:
    """When an answer is due that takes `within` of opening hours (at most one day's worth)."""
    if not is_open(now):
        return next_opening(now) + within
    closing = datetime.combine(now.astimezone(SHOP).date(), CLOSES, SHOP)
    left = closing - now
    return now + within if within <= left else next_opening(closing) + (within - left)


def when(now: datetime, within: timedelta = FIRST_REPLY) -> str:
    """What a customer is told: 'within 15 minutes' or 'when we open Monday 8:00 (Pacific time)'."""
    if is_open(now) and is_open(now + within):
        return f"within {int(within.total_seconds() // 60)} minutes"
    opening = next_opening(now)
    return f"when we open {opening:%A} {opening.hour}:{opening:%M} (Pacific time)"
