"""Who looks at a conversation and who is replying: seats in Redis that their sockets keep warm.

A seat that nobody renews is empty after EXPIRES_S, so those of a dead process vanish by themselves. Without Redis there
is no presence; nothing else depends on it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID
from weakref import WeakKeyDictionary

import redis.asyncio as redis
from django.conf import settings
from redis.exceptions import RedisError

log = logging.getLogger(__name__)
EXPIRES_S = 15
KEY = "inbox:presence:{}"


@dataclass(frozen=True, slots=True)
class Seat:
    """One socket's place before a conversation."""

    conversation_id: UUID
    channel: str
    user_id: str
    name: str
    is_replying: bool = False


async def take(seats: Iterable[Seat]) -> dict[UUID, list[Seat]]:
    """Take or keep these seats; everybody who sits before their conversations. One round trip."""
    taken = list(seats)
    places = list(dict.fromkeys(seat.conversation_id for seat in taken))
    try:
        async with _client().pipeline(transaction=False) as pipe:
            for seat in taken:
                until = time.time() + EXPIRES_S
                value = json.dumps([seat.user_id, seat.name, seat.is_replying, until])
                pipe.hset(_key(seat.conversation_id), seat.channel, value)
            for place in places:
                pipe.expire(_key(place), EXPIRES_S * 4)
                pipe.hgetall(_key(place))
            answers = (await pipe.execute())[len(taken) :]
    except (RedisError, OSError):
        log.warning("presence_without_redis", exc_info=True)
        return {}
    return {place: _read(place, answers[2 * number + 1]) for number, place in enumerate(places)}


async def leave(conversation_id: UUID, channel: str) -> list[Seat]:
    """Give a seat up; who still sits there."""
    try:
        async with _client().pipeline(transaction=False) as pipe:
            pipe.hdel(_key(conversation_id), channel)
            pipe.hgetall(_key(conversation_id))
            return _read(conversation_id, (await pipe.execute())[1])
    except (RedisError, OSError):
        log.warning("presence_without_redis", exc_info=True)
        return []


def _read(conversation_id: UUID, stored: dict[bytes, bytes]) -> list[Seat]:
    """Seats that are still warm, by name."""
    now, seats = time.time(), []
    for channel, value in stored.items():
        user_id, name, is_replying, until = json.loads(value)
        if until > now:
            seats.append(Seat(conversation_id, channel.decode(), user_id, name, is_replying))
    return sorted(seats, key=lambda seat: (seat.name, seat.channel))


def _key(conversation_id: UUID) -> str:
    return KEY.format(conversation_id.hex)


_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, redis.Redis] = WeakKeyDictionary()


def _client() -> redis.Redis:
    """The running loop's own; connections do not cross loops."""
    loop = asyncio.get_running_loop()
    if loop not in _clients:
        _clients[loop] = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
    return _clients[loop]
