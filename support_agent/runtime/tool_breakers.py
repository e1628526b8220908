"""A breaker per tool, shared by all runners through Redis: 5 failures in a row open it for 60 s, then one call probes.

While Redis is away each process counts for itself: the desk stays open. Synchronous, a millisecond a look.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import redis
from django.conf import settings

log = logging.getLogger(__name__)
FAILURES, OPEN_S, PROBE_S = 5, 60, 15
KEY = "breaker:"
State = Literal["closed", "open", "half_open"]


@dataclass(slots=True)
class _Local:
    """What one process knows while Redis does not answer."""

    clean: set[str] = field(default_factory=set)  # tools that nothing stood against when we last looked
    failures: dict[str, int] = field(default_factory=dict)
    open_until: dict[str, float] = field(default_factory=dict)


_local = _Local()


def may_call(tool: str) -> bool:
    """Whether a call may go through; in the half-open state only one at a time."""
    _local.clean.discard(tool)
    try:
        found = state_of(tool)
        if found == "half_open":
            return bool(_redis().set(f"{KEY}{tool}:probe", 1, nx=True, ex=PROBE_S))
        return found == "closed"
    except redis.RedisError:
        return _local.open_until.get(tool, 0.0) <= time.monotonic()


def is_clean(tool: str) -> bool:
    """Whether a success has nothing to take back: no failure stood against the tool as its call began."""
    return tool in _local.clean


def note(tool: str, *, failed: bool) -> None:
    """Count the end of a call: a success closes the breaker, the fifth failure in a row opens it."""
    _local.clean.discard(tool)
    try:
        if failed:
            _count(_redis(), tool)
        else:
            _redis().delete(f"{KEY}{tool}:failures", f"{KEY}{tool}:open", f"{KEY}{tool}:tripped", f"{KEY}{tool}:probe")
    except redis.RedisError:
        _count_here(tool, failed)


def state_of(tool: str) -> State:
    """closed, open, or half_open once the pause is over and nothing has succeeded since. Raises RedisError."""
    found: Any = _redis().mget([f"{KEY}{tool}:{name}" for name in ("open", "tripped", "failures")])
    is_open, has_tripped, failures = found
    if is_open:
        return "open"
    if has_tripped:
        return "half_open"
    if failures is None:
        _local.clean.add(tool)
    return "closed"


def _count(client: redis.Redis, tool: str) -> None:
    failures = int(str(client.incr(f"{KEY}{tool}:failures")))
    client.expire(f"{KEY}{tool}:failures", 3600)
    if failures >= FAILURES:
        client.set(f"{KEY}{tool}:tripped", 1, ex=3600)
        client.set(f"{KEY}{tool}:open", 1, ex=OPEN_S)
        client.delete(f"{KEY}{tool}:probe")
        log.warning("breaker_open", extra={"tool": tool, "failures": failures})


def _count_here(tool: str, failed: bool) -> None:
    _local.failures[tool] = _local.failures.get(tool, 0) + 1 if failed else 0
    if _local.failures[tool] >= FAILURES:
        _local.open_until[tool] = time.monotonic() + OPEN_S


@cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5)
