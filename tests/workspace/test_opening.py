"""Opening hours against a slow, plain reckoning: any week, any zone, over days on which clocks change."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tickets.opening import Opening, read_day, read_holidays, write_day, write_holidays

ZONES = ("America/Los_Angeles", "Europe/Oslo", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC", "America/Havana")
CHANGES = ("2026-03-08", "2026-03-29", "2026-10-25", "2026-11-01", "2026-04-05")
MINUTE = timedelta(minutes=1)


def plainly_open(opening: Opening, moment: datetime) -> bool:
    """Whether the clock on the wall, at this moment, shows a time within the day's hours."""
    here = moment.astimezone(opening.zone)
    minutes = here.hour * 60 + here.minute
    day = opening.week[here.weekday()]
    return opening.holiday(here.date()) is None and any(start <= minutes < end for start, end in day)


def some_week(luck: random.Random) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Hours on quarters outside of the night's changes, so that the plain reckoning is the right one."""
    week = []
    for _ in range(7):
        edges = sorted(luck.sample(range(4 * 5, 4 * 24 + 1), 2 * luck.randint(0, 3)))
        week.append(tuple((15 * one, 15 * two) for one, two in zip(edges[::2], edges[1::2], strict=True)))
    return tuple(week) if any(week) else (*week[:6], ((480, 1080),))


@pytest.mark.parametrize("seed", range(24))
def test_every_answer_agrees_with_the_clock_on_the_wall(seed: int) -> None:
    luck = random.Random(seed)
    change = date.fromisoformat(luck.choice(CHANGES))
    holiday = change + timedelta(days=luck.randint(-1, 2))
    opening = Opening(ZoneInfo(luck.choice(ZONES)), some_week(luck), {f"{holiday:%Y-%m-%d}": "Closed"})
    start = datetime(change.year, change.month, change.day, tzinfo=UTC) - timedelta(hours=luck.randint(0, 30))
    minutes = [start + n * MINUTE for n in range(3 * 24 * 60)]
    truth = [plainly_open(opening, minute) for minute in minutes]
    for at in luck.sample(range(len(minutes)), 200):
        assert opening.is_open(minutes[at]) is truth[at], minutes[at]
    assert opening.open_between(start, minutes[-1] + MINUTE) == sum(truth) * MINUTE
    first = next((at for at in range(1, len(minutes)) if truth[at] and not truth[at - 1]), None)
    if first is not None and not truth[0]:
        assert opening.next_opening(start) == minutes[first]
    wanted = luck.randint(1, 600)
    if sum(truth) > wanted:
        due = opening.due_at(start, wanted * MINUTE)
        assert opening.open_between(start, due) == wanted * MINUTE
        assert opening.is_open(due - MINUTE)


def test_a_day_has_the_hours_its_clocks_give_it() -> None:
    always = Opening(ZoneInfo("Europe/Oslo"), (((0, 1440),),) * 7)
    for day, hours in (("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-02", 24)):
        start = datetime.fromisoformat(day).replace(tzinfo=always.zone)
        end = (start + timedelta(days=1)).replace(tzinfo=always.zone)
        assert always.open_between(start, end) == timedelta(hours=hours), day
    assert always.is_open(datetime(2026, 3, 29, 1, 30, tzinfo=UTC))


def test_hours_that_a_change_swallows_are_not_there() -> None:
    night = Opening(ZoneInfo("Europe/Oslo"), (*(((480, 960),),) * 6, ((135, 165),)))  # Sunday 2:15-2:45
    swallowed = datetime(2026, 3, 29, tzinfo=UTC)
    assert night.open_between(swallowed, swallowed + timedelta(hours=12)) <= timedelta(minutes=30)


def test_holidays_every_year_and_once() -> None:
    week = (((540, 1020),),) * 5 + ((), ())
    opening = Opening(ZoneInfo("Europe/Oslo"), week, read_holidays("12-25 Christmas\n2026-12-24, Christmas Eve"))
    assert opening.holiday(date(2026, 12, 25)) == opening.holiday(date(2031, 12, 25)) == "Christmas"
    assert (opening.holiday(date(2026, 12, 24)), opening.holiday(date(2027, 12, 24))) == ("Christmas Eve", None)
    wednesday = datetime(2026, 12, 23, 18, tzinfo=UTC)
    assert opening.next_opening(wednesday) == datetime(2026, 12, 28, 8, tzinfo=UTC)
    assert opening.closing_after(wednesday, 1).date() == date(2026, 12, 28)


def test_a_shop_closed_for_years_still_gets_an_answer() -> None:
    every_day = {f"{date(2024, 1, 1) + timedelta(days=n):%m-%d}": "Closed" for n in range(366)}
    opening = Opening(ZoneInfo("UTC"), (((480, 1080),),) * 7, every_day)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert opening.next_opening(now) > now + timedelta(days=1000)
    assert opening.closing_after(now) > now
    assert not opening.is_open(now)


@pytest.mark.parametrize(
    ("text", "intervals"),
    [
        ("8-18", ((480, 1080),)),
        ("13:00 - 17:30, 8.00–12.00", ((480, 720), (780, 1050))),
        ("0:00-24:00", ((0, 1440),)),
        ("  ", ()),
    ],
)
def test_hours_are_read_as_people_write_them(text: str, intervals: tuple[tuple[int, int], ...]) -> None:
    assert read_day(text) == intervals
    assert read_day(write_day(intervals)) == intervals


@pytest.mark.parametrize("text", ["8", "18-8", "8-25", "8:70-9", "8-12, 11-13", "morning", "22-24:30"])
def test_hours_that_are_none_are_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"^[“T].*\.$"):
        read_day(text)


@pytest.mark.parametrize("text", ["Christmas", "2026-02-30 Nothing", "2026-12-24", "13-01 x", "12-24 " + "x" * 61])
def test_a_holiday_that_is_none_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(ValueError, match="Line 2"):
        read_holidays(f"12-25 Christmas\n{text}")


def test_holidays_come_back_as_they_were_written() -> None:
    text = "02-29 Leap day\n12-25 Christmas Day\n2026-12-24 Christmas Eve"
    assert write_holidays(read_holidays(text)) == text
