"""When people answer: Monday to Friday, 8:00-18:00 in Portland; the assistant answers always."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

SHOP = ZoneInfo("America/Los_Angeles")
OPENS, CLOSES = time(8), time(18)
WORKDAYS = range(5)
WORDS = gettext_lazy("Monday to Friday, 8:00–18:00 Pacific time")
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


def open_between(start: datetime, end: datetime) -> timedelta:
    """How much of the time between two moments people were at the desk."""
    total, moment = timedelta(0), start
    while moment < end:
        if is_open(moment):
            closing = datetime.combine(moment.astimezone(SHOP).date(), CLOSES, SHOP)
            total += min(end, closing) - moment
            moment = closing
        else:
            moment = next_opening(moment)
    return total


def when(now: datetime, within: timedelta = FIRST_REPLY) -> str:
    """What a customer is told: 'within 15 minutes' or 'when we open Monday 8:00 (Pacific time)'."""
    if is_open(now) and is_open(now + within):
        minutes = int(within.total_seconds() // 60)
        return ngettext("within %(minutes)s minute", "within %(minutes)s minutes", minutes) % {"minutes": minutes}
    return _("when we open %(moment)s") % {"moment": moment(next_opening(now))}


def moment(at: datetime) -> str:
    """A moment in the shop's own time: 'Monday 8:00 (Pacific time)'."""
    here = at.astimezone(SHOP)
    named = {"weekday": WEEKDAYS[here.weekday()], "time": f"{here.hour}:{here:%M}"}
    return _("%(weekday)s %(time)s (Pacific time)") % named


def closing_after(now: datetime, workdays: int = 0) -> datetime:
    """The end of the workday that many workdays from today; 0 is today's, or the next one's once that is over."""
    day = now.astimezone(SHOP).date()
    if workdays == 0 and now.astimezone(SHOP).time() >= CLOSES:
        day += timedelta(days=1)
    while workdays or day.weekday() not in WORKDAYS:
        day += timedelta(days=1)
        workdays -= day.weekday() in WORKDAYS and workdays > 0
    return datetime.combine(day, CLOSES, SHOP)
