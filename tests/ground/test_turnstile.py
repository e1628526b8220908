"""The line before HTTP requests: a few at a time, the others in order, and words for those it cannot take."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from support_agent import turnstile
from support_agent.runtime import ratelimit
from support_agent.turnstile import Turnstile


class House:
    """An application whose requests end when they are let."""

    def __init__(self) -> None:
        self.inside = self.most = self.done = 0
        self.may_end = asyncio.Event()
        self.door = Turnstile(self)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        await self.may_end.wait()
        self.inside -= 1
        self.done += 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"fine"})

    async def ask(self, path: str = "/", address: str = "192.0.2.1") -> tuple[int, dict[str, str], bytes]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "path": path, "headers": [], "client": (address, 1)}
        await self.door(scope, None, send)  # type: ignore[arg-type]
        headers = {key.decode(): value.decode() for key, value in sent[0]["headers"]}
        return sent[0]["status"], headers, sent[1]["body"]

    def many(self, number: int, address: str = "192.0.2.1") -> list[asyncio.Task[tuple[int, dict[str, str], bytes]]]:
        return [asyncio.create_task(self.ask(address=address)) for _ in range(number)]


async def test_only_as_many_run_as_there_are_connections() -> None:
    house = House()
    asked = house.many(40)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert house.inside == turnstile._room() < 40
    alive, ready = asyncio.create_task(house.ask("/healthz")), asyncio.create_task(house.ask("/readyz"))
    await asyncio.sleep(0)
    assert house.inside == turnstile._room() + 2, "machines do not wait behind people"
    house.may_end.set()
    assert {(await one)[0] for one in [alive, ready, *asked]} == {200}
    assert house.done == 42


async def test_who_waits_too_long_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turnstile, "WAIT_S", 0.05)
    house = House()
    running = house.many(turnstile._room())
    await asyncio.sleep(0)
    status, headers, body = await house.ask("/api/v1/conversations")
    assert (status, json.loads(body)["code"]) == (503, "busy")
    assert headers["content-type"] == "application/problem+json"
    assert int(headers["retry-after"]) > 0
    house.may_end.set()
    await asyncio.gather(*running)
    assert (await house.ask())[0] == 200, "the place of who gave up is free"


async def test_a_full_line_takes_nobody_and_one_address_cannot_fill_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratelimit, "REQUESTS_WAITING", 3)
    monkeypatch.setattr(ratelimit, "REQUESTS_WAITING_OF_ADDRESS", 0)  # whatever the scale, one is left
    house = House()
    running = [*house.many(turnstile._room()), *house.many(1)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (await house.ask())[0] == 429
    running += house.many(1, "192.0.2.2") + house.many(1, "192.0.2.3")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    status, headers, body = await house.ask(address="192.0.2.4")
    assert status == 503
    assert headers["content-type"].startswith("text/plain")
    assert b"try again" in body
    house.may_end.set()
    assert {(await one)[0] for one in running} == {200}


async def test_an_address_that_asks_too_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ratelimit, "REQUESTS_OF_ADDRESS", 0)  # whatever the scale, one is left
    monkeypatch.setattr(ratelimit, "REQUESTS_S", 1e6)
    house = House()
    house.may_end.set()
    assert (await house.ask())[0] == 200
    status, headers, _ = await house.ask()
    assert status == 429
    assert int(headers["retry-after"]) > 0
    assert (await house.ask(address="192.0.2.2"))[0] == 200
    assert (await house.ask("/healthz"))[0] == 200
