"""Values as they stand in an address. What cannot be read is as good as not given."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation

from django.db.models import Q
from django.utils import timezone

LAST_DAY = date(2999, 12, 31)
FIRST_DAY = date(1971, 1, 1)
MOST = 2_000_000_000  # what an integer column holds
SMALLEST = -12  # as a power of ten
Moment = date | datetime


def plain(value: str) -> str:
    return value.replace("\x00", "").strip()


def name(value: str) -> str:
    """The name of a tool, model, topic or version; also of one that is no more."""
    return plain(value)[:80]


def one_of(value: str, allowed: Collection[str]) -> str:
    return value if value in allowed else ""


def moment(value: str) -> Moment | None:
    """A day ("2026-11-20"), or a time of day ("2026-11-20T13:00", in the shop's time unless it says which)."""
    try:
        return max(FIRST_DAY, min(date.fromisoformat(value), LAST_DAY))
    except ValueError:
        pass
    return clock(value)


def clock(value: str, zone: tzinfo | None = None) -> datetime | None:
    """A moment, in UTC: databases know no offset beyond 16 hours. `zone` is whose time it is when it does not say."""
    try:
        read = datetime.fromisoformat(value.replace(" ", "+"))
        if not FIRST_DAY <= read.date() <= LAST_DAY:
            return None
        whole = read if read.tzinfo else read.replace(tzinfo=zone or timezone.get_current_timezone())
        return whole.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def start_of(value: Moment | None) -> datetime | None:
    """The first moment of the stretch that begins with this."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime(value.year, value.month, value.day, tzinfo=timezone.get_current_timezone())


def end_of(value: Moment | None) -> datetime | None:
    """The first moment after the stretch that ends with this: a day belongs to it, a time of day does not."""
    if value is None or isinstance(value, datetime):
        return value
    return start_of(value + timedelta(days=1))


def amount(value: str) -> Decimal | None:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and 0 < number < MOST and number.adjusted() > SMALLEST else None


def whole(value: str) -> int | None:
    """A whole number above nought."""
    number = amount(value)
    return int(number) or None if number is not None else None


def within(field: str, since: Moment | None, until: Moment | None) -> Q:
    """The rows whose `field` lies in the stretch; everything when it has no ends."""
    found = Q()
    if (start := start_of(since)) is not None:
        found &= Q(**{f"{field}__gte": start})
    if (end := end_of(until)) is not None:
        found &= Q(**{f"{field}__lt": end})
    return found
