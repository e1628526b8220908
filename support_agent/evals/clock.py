"""Another now for one conversation: what was recorded in March on a Friday evening is replayed on that evening.

Everything of ours asks `django.utils.timezone.now`; only what that function reads is replaced. So the date in the
prompts, "a person answers when we open Monday" and each order's age come out as they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta, tzinfo
from typing import Any

from django.utils import timezone

_ahead: ContextVar[timedelta] = ContextVar("clock_ahead", default=timedelta(0))


class _Moved(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        return datetime.now(tz) + _ahead.get()


@contextmanager
def movable() -> Iterator[None]:
    """Within, `moved_to` works; once, around everything that may run side by side."""
    module: Any = timezone
    before = module.datetime
    module.datetime = _Moved
    try:
        yield
    finally:
        module.datetime = before


@contextmanager
def moved_to(moment: datetime) -> Iterator[None]:
    """It is `moment` (aware), and time goes on from there."""
    token = _ahead.set(moment - datetime.now(moment.tzinfo))
    try:
        yield
    finally:
        _ahead.reset(token)
