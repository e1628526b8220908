"""What lies outside PostgreSQL: keys, jobs and their results in Redis. Jobs carry ids, but what failed may quote an
address in its traceback.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Any

import django_rq
from redis.exceptions import ResponseError

JOBS = ("rq:job:*", "rq:results:*")


def forget_in_redis(needles: Collection[str], *, dry_run: bool = False) -> int:
    """Drop every key that names one of these or holds it; how many. Raises redis.RedisError when it is away."""
    redis = django_rq.get_connection("default")
    searched = [needle.encode() for needle in needles if needle]
    found = {key for key in redis.scan_iter(count=1000) if _names(key, searched)}
    for pattern in JOBS:
        found |= {key for key in redis.scan_iter(pattern, count=1000) if _holds(redis, key, searched)}
    if found and not dry_run:
        redis.delete(*found)
    return len(found)


def _names(text: bytes, needles: Collection[bytes]) -> bool:
    lowered = text.lower()
    return any(needle.lower() in lowered for needle in needles)


def _holds(redis: Any, key: bytes, needles: Collection[bytes]) -> bool:
    return any(_names(value, needles) for value in _values(redis, key))


def _values(redis: Any, key: bytes) -> Iterator[bytes]:
    """The fields of a job, or the entries of its results, also as they were before RQ packed them."""
    raw: list[Any] = []
    with suppress(ResponseError):
        if key.startswith(b"rq:results:"):
            raw = [value for _, fields in redis.xrange(key) for value in fields.values()]
        else:
            raw = list(redis.hgetall(key).values())
    for value in raw:
        yield value
        with suppress(zlib.error):
            yield zlib.decompress(value)
