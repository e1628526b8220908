"""Before any HTTP request: how fast an address asks, and how many requests run at once.

Each request takes a thread and may take a database connection, so only as many run as there are connections for; the
others wait in line, and those beyond it are told to come again (503). What an address asks too fast is refused (429)
before it costs a thread.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from support_agent.addresses import address_of_scope
from support_agent.env import env
from support_agent.origins import App, Receive, Scope, Send
from support_agent.runtime import ratelimit
from support_agent.runtime.ratelimit import Meter
from tickets.db import THREADS

ALIVE = "/healthz"  # must answer whatever else waits
MACHINES = ("/readyz", "/metrics")
MACHINES_AT_ONCE = 2
SPARE = MACHINES_AT_ONCE + 1  # connections; the one more is for the sessions of new sockets
WAIT_S = 10.0
AGAIN_S = 5


class Busy(Exception):
    """There is no room for this request; the status says whose fault that is."""

    def __init__(self, limit: str, wait: int) -> None:
        super().__init__(limit)
        self.limit, self.wait = limit, wait

    @property
    def status(self) -> HTTPStatus:
        return HTTPStatus.SERVICE_UNAVAILABLE if self.limit == "busy" else HTTPStatus.TOO_MANY_REQUESTS

    @property
    def code(self) -> str:
        return "busy" if self.limit == "busy" else "rate_limited"


class Turnstile:
    """Lets HTTP requests through in their order, a few at a time."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._people, self._machines = asyncio.Semaphore(_room()), asyncio.Semaphore(MACHINES_AT_ONCE)
        self._waiting: Counter[str] = Counter()
        self._meter = Meter(ratelimit.REQUESTS_OF_ADDRESS, ratelimit.REQUESTS_S)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == ALIVE:
            return await self.app(scope, receive, send)
        places = self._machines if scope["path"] in MACHINES else self._people
        try:
            async with self._place(places, address_of_scope(scope)):
                await self.app(scope, receive, send)
        except Busy as busy:
            ratelimit.refused.labels(busy.limit).inc()
            await _refuse(busy, scope["path"].startswith("/api/"), send)

    @asynccontextmanager
    async def _place(self, places: asyncio.Semaphore, address: str) -> AsyncIterator[None]:
        """Raises Busy."""
        if self._meter.over(address) > 1:
            raise Busy("requests", self._meter.wait())
        if places is self._people and self._waiting.total() >= ratelimit.REQUESTS_WAITING:
            raise Busy("busy", AGAIN_S)
        if self._waiting[address] >= ratelimit.scaled(ratelimit.REQUESTS_WAITING_OF_ADDRESS):
            raise Busy("requests_waiting", AGAIN_S)
        await self._wait(places, address)
        try:
            yield
        finally:
            places.release()

    async def _wait(self, places: asyncio.Semaphore, address: str) -> None:
        self._waiting[address] += 1
        try:
            async with asyncio.timeout(WAIT_S):
                await places.acquire()
        except TimeoutError:
            raise Busy("busy", AGAIN_S) from None
        finally:
            self._waiting[address] -= 1
            if not self._waiting[address]:
                del self._waiting[address]


def _room() -> int:
    """Connections that the sockets' threads leave over."""
    return max(2, env.database_pool_size - THREADS - SPARE)


async def _refuse(busy: Busy, is_api: bool, send: Send) -> None:
    words = f"Too much at once. Please try again in {busy.wait} seconds."
    body: dict[str, object] = {
        "type": "about:blank",
        "title": busy.status.phrase,
        "status": busy.status.value,
        "detail": words,
        "code": busy.code,
    }
    headers = [
        (b"content-type", b"application/problem+json" if is_api else b"text/plain; charset=utf-8"),
        (b"retry-after", str(busy.wait).encode()),
        (b"cache-control", b"no-store"),
        (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": busy.status.value, "headers": headers})
    await send({"type": "http.response.body", "body": (json.dumps(body) if is_api else words).encode()})
