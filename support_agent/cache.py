"""Django's cache, shared by all processes through Redis: used codes and counted tries of sign-ins.

While Redis is away each process remembers for itself: staff can sign in, and a code is still good only once for each.
"""

from __future__ import annotations

import logging
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)
REDIS_S = 1.0


class SharedCache(RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {"socket_timeout": REDIS_S, "socket_connect_timeout": REDIS_S, **params.get("OPTIONS", {})}
        super().__init__(server, {**params, "OPTIONS": options, "KEY_PREFIX": "cache"})
        self._alone = LocMemCache("alone", {})

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._ask("add", *args, **kwargs))

    def get(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("get", *args, **kwargs)

    def set(self, *args: Any, **kwargs: Any) -> None:
        self._ask("set", *args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._ask("delete", *args, **kwargs))

    def _ask(self, deed: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return getattr(super(), deed)(*args, **kwargs)
        except (RedisError, OSError):
            log.warning("cache_without_redis")
            return getattr(self._alone, deed)(*args, **kwargs)
