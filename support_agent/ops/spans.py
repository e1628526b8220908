"""The stretch of time a page of figures is about, as it stands in its address: an hour, a day or a week until now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

LENGTHS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
DEFAULT = "day"


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to `end`, beside the equally long one before it."""

    name: str
    before: datetime
    start: datetime
    end: datetime

    @classmethod
    def read(cls, name: str, now: datetime | None = None) -> Span:
        """The span of this name that ends now; what is not a name is a day."""
        name = name if name in LENGTHS else DEFAULT
        end = now or timezone.now()
        return cls(name, end - 2 * LENGTHS[name], end - LENGTHS[name], end)
