"""A chat that nobody touches stays connected, and a line that died silently is made anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import Chat

if TYPE_CHECKING:
    from playwright.sync_api import WebSocketRoute

pytestmark = pytest.mark.timeout(120)
STEP = 5_000  # ms, as often as the page looks; pings are 25 s apart, and an answer is due within 10


def test_an_idle_chat_stays_connected(chat: Chat) -> None:
    page = chat.page
    lost: list[str] = []
    page.on("websocket", lambda socket: socket.on("close", lambda _: lost.append(socket.url)))
    page.clock.install()
    chat.open()
    chat.ask("Hello")
    for _ in range(16):
        page.clock.fast_forward(STEP)
        page.wait_for_timeout(300)  # the answer to a ping needs a moment of the real clock
    assert lost == []
    assert page.locator("#connection").inner_text() == ""
    chat.ask("Do gift cards expire?")


def test_a_line_that_died_silently_is_made_anew(chat: Chat) -> None:
    page = chat.page
    routes: list[WebSocketRoute] = []

    def pass_on(route: WebSocketRoute) -> None:
        is_dead = not routes
        routes.append(route)
        server = route.connect_to_server()
        if is_dead:  # once told so, nothing of the server arrives on the first line
            server.on_message(lambda message: None if dead else route.send(message))

    dead: list[bool] = []
    page.route_web_socket("**/ws/chat/**", pass_on)
    page.clock.install()
    chat.open()
    chat.ask("Hello")
    dead.append(True)
    for _ in range(9):
        page.clock.fast_forward(STEP)
        page.wait_for_timeout(300)
    page.locator("#connection:empty").wait_for(state="attached", timeout=20_000)
    chat.ask("Do gift cards expire?")
    assert len(routes) > 1
