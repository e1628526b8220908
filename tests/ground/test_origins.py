"""Who may open a socket: the whole origin counts, and only a token replaces it."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.typing import WebSocketScope
from channels.testing import WebsocketCommunicator
from pytest_django import Settings

from support_agent.origins import OriginMiddleware, open_sockets, origin_allowed

pytestmark = pytest.mark.usefixtures("_at_home")
ALLOWED = ["https://shop.example", "http://localhost:3000"]


@pytest.fixture
def _at_home(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["desk.example"]


@pytest.mark.parametrize(
    ("origin", "passes"),
    [
        ("https://desk.example", True),
        ("https://desk.example:443", True),
        ("HTTPS://Desk.Example", True),
        ("https://shop.example", True),
        ("http://localhost:3000", True),
        ("http://desk.example", False),
        ("https://desk.example:8443", False),
        ("http://localhost:3001", False),
        ("https://shop.example.evil.example", False),
        ("https://evil.example/?https://desk.example", False),
        ("null", False),
        ("", False),
        ("file://", False),
        ("https://desk.example:port", False),
        ("https://somebody@desk.example", False),
        ("https://desk.example@evil.example", False),
        ("https://desk.example/", False),
        ("https://desk.example#", False),
        ("https://desk\t.example", False),
        (" https://desk.example", False),
        ("https://desk.example.evil.example", False),
        ("https://evil-desk.example", False),
        ("https://xn--dsk-dma.example", False),
        ("https://d\u0435sk.example", False),
    ],
)
def test_the_whole_origin_is_compared(origin: str, passes: bool) -> None:
    assert origin_allowed(origin, "https://desk.example", ALLOWED) is passes


async def accepting(scope: WebSocketScope, receive: object, send: object) -> None:
    await send({"type": "websocket.accept"})  # type: ignore[operator]


async def opens(path: str, **headers: str) -> bool:
    """Whether the door lets a handshake to desk.example through."""
    pairs = [(name.encode(), value.encode()) for name, value in {"host": "desk.example", **headers}.items()]
    socket = WebsocketCommunicator(OriginMiddleware(accepting), path, headers=pairs)
    connected, _ = await socket.connect()
    return connected


async def test_browsers_need_our_origin() -> None:
    assert await opens("/ws/", origin="http://desk.example")
    assert not await opens("/ws/", origin="https://evil.example")
    assert not await opens("/ws/")


async def test_programs_without_an_origin_need_a_token() -> None:
    assert await opens("/ws/", authorization="Bearer abc")
    assert await opens("/ws/?token=abc")
    assert not await opens("/ws/?token=")
    assert not await opens("/ws/", authorization="Basic abc")


async def test_a_name_somebody_pointed_at_us_is_not_ours() -> None:
    """A page of evil.example, whose name now leads to this server: its origin and the host agree."""
    assert not await opens("/ws/", host="evil.example", origin="http://evil.example")
    assert not await opens("/ws/?token=abc", host="evil.example")
    assert not await opens("/ws/?token=abc", host="")


async def test_a_token_does_not_excuse_a_foreign_origin() -> None:
    assert not await opens("/ws/?token=abc", origin="https://evil.example")


async def test_open_sockets_are_counted() -> None:
    async def app(scope: object, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass

    before = figure()
    socket = WebsocketCommunicator(OriginMiddleware(app), "/ws/?token=abc", headers=[(b"host", b"desk.example")])
    await socket.connect()
    assert figure() == before + 1
    await socket.disconnect()
    assert figure() == before


def figure() -> float:
    return next(sample.value for metric in open_sockets.collect() for sample in metric.samples)
