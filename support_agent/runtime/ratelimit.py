"""Every limit of how often and how many; docs/controls.md has them as a table. RATE_LIMIT_SCALE multiplies the rates.

`allow` counts in Redis, for all processes together; while Redis is away each process counts alone and grants half of
what costs money. Floods are counted by a `Meter` in the process they reach: to refuse must cost less than to ask.
"""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from functools import cache

from django.conf import settings
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from prometheus_client import Counter as Figure

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
    "frame": 300,  # everything a socket sends, or a page without one
    "poll": 300,  # looks for news of a conversation without a socket, by all its windows
    "login": 10,
    "policy_report": 30,  # posts of refusals by a browser; one can hold several
    "task": 60,
    "attachment": 20,  # a conversation's uploads
    "attachment_address": 40,
    "transcript_file": 10,  # a conversation's downloads
    "left_message": 5,  # messages an address leaves for later
    "thread_link": 20,  # links from e-mails an address opens
    "assist": 20,  # summaries and drafts one of staff asks for
    "replay": 10,  # replays one of staff starts
    "eval_run": 10,  # evaluation runs one of staff starts
    "throttled": 10,  # new conversations of everybody, while a breaker throttles
    "search": 60,  # searches of the help centre by an address
    "suggest": 240,  # its suggestions: somebody who types asks for several a search
    "article_feedback": 20,  # what an address thinks of articles
    "contact": 10,  # addresses left in a conversation
    "renewal": 6,  # expired proposals of a conversation that are offered again
}

HOURLY = {
    "login_account": 20,  # tries at one of staff's accounts from where they never were
    "transcript": 5,  # a conversation's transcripts
    "transcript_sender": 10,  # those of one address on the net, to whatever mailbox nobody proved to be theirs
    "transcript_address": 3,  # those to one mailbox that nobody proved to be theirs
}

# What costs nobody anything but a little time; everything else is strict while a process counts alone.
CHEAP = {"socket", "frame", "poll", "search", "suggest", "article_feedback", "policy_report"}
ALONE = 0.5
REDIS_AGAIN_S = 2.0  # after a failure: a server that hangs must not hold up every request

# Counted in one process. Those marked fixed guard its memory, and RATE_LIMIT_SCALE leaves them alone.
SOCKETS_PER_CONVERSATION = 20  # fixed
SOCKETS_PER_ADDRESS = 500
SOCKETS_PER_PROCESS = 5000  # fixed
FRAMES_OF_SOCKET, FRAMES_S = 100, 10.0  # of any kind, broken ones too; past it no frame is carried out
FLOOD = 10  # times as much: the socket is closed
REQUESTS_OF_ADDRESS, REQUESTS_S = 600, 10.0  # an office of staff is one address
REQUESTS_WAITING_OF_ADDRESS = 100
REQUESTS_WAITING = 1000  # fixed
MAX_KEYS = 50_000  # addresses a meter knows at a time

refused = Figure("desk_refused", "What this process refused, by limit.", ["limit"], registry=None)


def allow(scope: str, key: str) -> None:
    """Count one hit of `scope` (a name in RATES or HOURLY) for `key`; raises RateLimited with the seconds to wait."""
    if _redis.is_there():
        try:
            return _hit(_shared(), _item(scope), scope, key)
        except RateLimited:
            raise
        except Exception:
            _redis.failed()
            log.warning("rate_limit_without_redis", extra={"scope": scope})
    _hit(_local(), _item(scope, 1.0 if scope in CHEAP else ALONE), scope, key)


def scaled(most: float) -> int:
    """A limit times RATE_LIMIT_SCALE, at least 1."""
    return max(1, math.ceil(most * env.rate_limit_scale))


class Meter:
    """Counts hits by key in this process, in windows of a fixed length; nothing is kept from one to the next."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._window = 0
        self._hits: Counter[str] = Counter()

    def over(self, key: str = "") -> float:
        """Count one more: how many times its limit the key has used, so that above 1 is too much."""
        window = int(time.monotonic() // self._seconds)
        if window != self._window or len(self._hits) >= MAX_KEYS:
            self._window, self._hits = window, Counter()
        self._hits[key] += 1
        return self._hits[key] / scaled(self._most)

    def wait(self) -> int:
        """Whole seconds until the next window."""
        return max(1, math.ceil(self._seconds - time.monotonic() % self._seconds))


class _Redis:
    """Whether Redis may be asked."""

    def __init__(self) -> None:
        self._again = 0.0

    def is_there(self) -> bool:
        return time.monotonic() >= self._again

    def failed(self) -> None:
        self._again = time.monotonic() + REDIS_AGAIN_S


_redis = _Redis()


def _item(scope: str, share: float = 1.0) -> RateLimitItem:
    per, rate = (RateLimitItemPerHour, HOURLY[scope]) if scope in HOURLY else (RateLimitItemPerMinute, RATES[scope])
    return per(scaled(rate * share))


def _hit(limiter: MovingWindowRateLimiter, item: RateLimitItem, scope: str, key: str) -> None:
    if not limiter.hit(item, scope, key):
        refused.labels(scope).inc()
        raise RateLimited(_wait(limiter, item, scope, key))


def _wait(limiter: MovingWindowRateLimiter, item: RateLimitItem, scope: str, key: str) -> int:
    return max(1, math.ceil(limiter.get_window_stats(item, scope, key).reset_time - time.time()))


@cache
def _shared() -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(RedisStorage(settings.REDIS_URL, key_prefix="rate", socket_timeout=0.5))


@cache
def _local() -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(MemoryStorage())
