"""Rate limits by address, session and customer, in Redis; in this process alone while Redis is away."""

from __future__ import annotations

import logging
import math
import time
from functools import cache

from django.conf import settings
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter

from support_agent.env import env
from tickets.errors import RateLimited

log = logging.getLogger(__name__)

# Per minute, before RATE_LIMIT_SCALE: generous for a person, tight for a script.
RATES = {
    "message": 20,  # a conversation's messages
    "message_address": 60,
    "conversation": 20,  # new conversations of an address
    "verification": 5,
    "socket": 240,  # sockets an address opens
    "frame": 300,  # everything a socket sends
    "login": 10,
    "task": 60,
    "attachment": 20,  # a conversation's uploads
    "attachment_address": 40,
    "left_message": 5,  # messages an address leaves for later
    "throttled": 10,  # new conversations of everybody, while a breaker throttles
}


def allow(scope: str, key: str) -> None:
    """Count one hit of `scope` (a name in RATES) for `key`; raises RateLimited with the seconds to wait."""
    item = RateLimitItemPerMinute(max(1, math.ceil(RATES[scope] * env.rate_limit_scale)))
    try:
        limiter = _shared()
        allowed = limiter.hit(item, scope, key)
    except Exception:
        log.warning("rate_limit_without_redis", extra={"scope": scope})
        limiter = _local()
        allowed = limiter.hit(item, scope, key)
    if not allowed:
        raise RateLimited(_wait(limiter, item, scope, key))


def _wait(limiter: MovingWindowRateLimiter, item: RateLimitItem, scope: str, key: str) -> int:
    return max(1, math.ceil(limiter.get_window_stats(item, scope, key).reset_time - time.time()))


@cache
def _shared() -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(RedisStorage(settings.REDIS_URL, key_prefix="rate", socket_timeout=0.5))


@cache
def _local() -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(MemoryStorage())
