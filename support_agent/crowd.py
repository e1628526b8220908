"""Before any socket: how many there are, in this process and from one address, and how fast an address opens them.

Whoever is too many is accepted and closed with 4429, which a client can read; nothing was looked up for it.
"""

from __future__ import annotations

import resource
from collections import Counter
from typing import Any

from support_agent.addresses import address_of_scope
from support_agent.origins import App, Receive, Scope, Send
from support_agent.runtime import ratelimit
from support_agent.sockets import TOO_MANY
from tickets.db import in_db
from tickets.errors import RateLimited

FILES_KEPT = 256  # open files for everything but sockets


class CrowdMiddleware:
    """Lets a socket in while there is room."""

    def __init__(self, app: Any) -> None:
        self.app: App = app
        self._by_address: Counter[str] = Counter()
        self._all = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = address_of_scope(scope)
        if not self._has_room(address):
            ratelimit.refused.labels("sockets").inc()
            return await _refuse(receive, send)
        self._all += 1
        self._by_address[address] += 1
        try:
            if await _comes_too_often(address):
                return await _refuse(receive, send)
            await self.app(scope, receive, send)
        finally:
            self._all -= 1
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]

    def _has_room(self, address: str) -> bool:
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        most = ratelimit.SOCKETS_PER_PROCESS
        if files != resource.RLIM_INFINITY:
            most = min(most, max(1, files - FILES_KEPT))
        return self._all < most and self._by_address[address] < ratelimit.scaled(ratelimit.SOCKETS_PER_ADDRESS)


async def _comes_too_often(address: str) -> bool:
    if not address:
        return False
    try:
        await in_db(ratelimit.allow, "socket", address)
    except RateLimited:
        return True
    return False


async def _refuse(receive: Receive, send: Send) -> None:
    await receive()  # the connect event
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": TOO_MANY})
