"""When people answer, by the workspace's week, holidays and time zone; the assistant answers always."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from tickets.languages import day as day_words
from tickets.opening import DAY_MINUTES, Interval, Opening, clock
from tickets.workspace import workspace

FIRST_REPLY = timedelta(minutes=15)
A_WEEK = timedelta(days=6, hours=12)  # beyond, a weekday alone could be the wrong one
ZONES = MappingProxyType(
    {
        "America/Los_Angeles": gettext_lazy("Pacific time"),
        "America/Denver": gettext_lazy("Mountain time"),
        "America/Chicago": gettext_lazy("Central time"),
        "America/New_York": gettext_lazy("Eastern time"),
        "Europe/London": gettext_lazy("UK time"),
        "UTC": "UTC",
    }
)


def opening() -> Opening:
    """The week and the holidays as they are now."""
    return workspace().opening


def zone() -> ZoneInfo:
    """Where the company's clock hangs."""
    return opening().zone


def is_open(now: datetime) -> bool:
    """Whether people are at the desk at this (aware) moment."""
    return opening().is_open(now)


def next_opening(now: datetime) -> datetime:
    """The first opening after now, in the shop's time."""
    return opening().next_opening(now)


def due_at(now: datetime, within: timedelta = FIRST_REPLY) -> datetime:
    """When an answer is due that takes `within` of opening hours."""
    return opening().due_at(now, within)


def open_between(start: datetime, end: datetime) -> timedelta:
    """How much of the time between two moments people were at the desk."""
    return opening().open_between(start, end)


def closing_of(day: date) -> datetime:
    """When the day's work ends; of a closed day, when most days' does."""
    return opening().closing_of(day)


def closing_after(now: datetime, workdays: int = 0) -> datetime:
    """The end of the workday that many workdays from today; 0 is today's, or the next one's once that is over."""
    return opening().closing_after(now, workdays)


def when(now: datetime, within: timedelta = FIRST_REPLY) -> str:
    """What a customer is told: 'within 15 minutes' or 'when we open Monday 8:00 (Pacific time)'."""
    if is_open(now) and is_open(now + within):
        minutes = int(within.total_seconds() // 60)
        return ngettext("within %(minutes)s minute", "within %(minutes)s minutes", minutes) % {"minutes": minutes}
    return _("when we open %(moment)s") % {"moment": moment(next_opening(now), now)}


def moment(at: datetime, now: datetime | None = None) -> str:
    """A moment in the shop's own time: 'Monday 8:00 (Pacific time)'; from `now` on a week off, with its date."""
    here = at.astimezone(zone())
    named = {"weekday": WEEKDAYS[here.weekday()], "time": f"{here.hour}:{here:%M}", "zone": zone_words()}
    if now is not None and at - now > A_WEEK:
        named["weekday"] = f"{named['weekday']}, {day_words(here)},"
    return _("%(weekday)s %(time)s (%(zone)s)") % named


def zone_words() -> str:
    """'Pacific time', 'Oslo time'."""
    name = workspace().time_zone
    if name in ZONES:
        return str(ZONES[name])
    return _("%(city)s time") % {"city": name.rpartition("/")[2].replace("_", " ")}


def words() -> str:
    """The week: 'Monday to Friday, 8:00–18:00 Pacific time', in the language that is active."""
    days = "; ".join(_days(first, last, spans) for first, last, spans in _alike(workspace().week))
    return _("%(days)s %(zone)s") % {"days": days, "zone": zone_words()}


def _days(first: int, last: int, spans: tuple[Interval, ...]) -> str:
    times = {"hours": ", ".join(_span(span) for span in spans)}
    if spans == ((0, DAY_MINUTES),):
        times = {"hours": _("all day")}
    if first == last:
        return _("%(day)s, %(hours)s") % {"day": WEEKDAYS[first], **times}
    return _("%(first)s to %(last)s, %(hours)s") % {"first": WEEKDAYS[first], "last": WEEKDAYS[last], **times}


def _span(span: Interval) -> str:
    return _("%(start)s–%(end)s") % {"start": clock(span[0]), "end": clock(span[1])}


def _alike(week: tuple[tuple[Interval, ...], ...]) -> list[tuple[int, int, tuple[Interval, ...]]]:
    """(first day, last day, hours) of each run of open days with the same hours."""
    found: list[tuple[int, int, tuple[Interval, ...]]] = []
    for day, spans in enumerate(week):
        if found and found[-1][1] == day - 1 and found[-1][2] == spans:
            found[-1] = (found[-1][0], day, spans)
        elif spans:
            found.append((day, day, spans))
    return found
