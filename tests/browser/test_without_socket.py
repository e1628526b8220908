"""Where no socket stands the page polls: nothing is missing, nothing is doubled, and nobody is told of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import ANSWER_MS, Chat
from tests.browser.test_customer_path import paid_order
from tests.stack import Stack

if TYPE_CHECKING:
    from playwright.sync_api import Page, WebSocketRoute

pytestmark = [pytest.mark.timeout(240), pytest.mark.deep]
NONE = "window.WebSocket = class { constructor() { throw new Error('blocked'); } };"
REPLY = """
from tickets.models import Conversation, User
from tickets.services.conversations import conversation_claim
from tickets.services.replies import reply_post
person = User.objects.filter(groups__name="agent", staff_profile__team__isnull=False).first()
conversation_claim(conversation_id="{id}", staff=person)
reply_post(conversation_id="{id}", staff=person, text="I have read everything.")
"""


class Wall:
    """What stands between the page and its socket: it can be taken away and put up again."""

    def __init__(self, page: Page) -> None:
        self.is_up = True
        self.passed = 0
        self._through: list[WebSocketRoute] = []
        page.route_web_socket(re.compile(r"/ws/chat/"), self._met)

    def _met(self, socket: WebSocketRoute) -> None:
        if self.is_up:
            return socket.close(code=1011)
        self.passed += 1
        self._through.append(socket)
        socket.connect_to_server()
        return None

    def put_up(self) -> None:
        self.is_up = True
        for socket in self._through:
            socket.close(code=1011)


def said(page: Page) -> list[str]:
    """The ids of all messages and cards, in their order."""
    found: list[str] = page.locator("#messages > [id]").evaluate_all("all => all.map(one => one.id)")
    return found


def calm(chat: Chat) -> None:
    """Nothing is said about the line, and nothing waits."""
    chat.connected()
    assert chat.page.locator("#outbox > *").count() == 0


def test_the_path_by_polling(stack: Stack, chat: Chat) -> None:
    name, order_number = paid_order(stack)
    page = chat.page
    alarms: list[str] = []
    page.add_init_script(NONE)
    page.expose_function("alarm", lambda words: alarms.append(words))  # a method of a list cannot be wrapped
    chat.sign_in(name)
    page.evaluate(
        """() => new MutationObserver(() => { const said = document.getElementById("connection").textContent;
             if (said) alarm(said); }).observe(document.getElementById("connection"), { childList: true })"""
    )
    answer = chat.ask("How much is express shipping?")
    assert "12.95" in answer.inner_text()
    answer.get_by_role("button", name="This helped").click()
    answer.get_by_text("Thank you").wait_for()
    chat.ask(f"Please cancel order {order_number}, I ordered it by mistake")
    card = page.locator(".card.action").last
    card.get_by_role("button", name="Confirm").click()
    page.locator('.card.action[data-state="done"]').wait_for()
    page.locator('.card.action[data-state="done"]').last.get_by_role("button", name="Undo").click()
    page.locator('.card.action[data-state="undone"]').wait_for()

    page.get_by_role("button", name="Talk to a person").click()
    page.locator(".banner.waiting").wait_for()
    conversation = page.locator("#chat").get_attribute("data-conversation")
    stack.manage("shell", "-c", REPLY.format(id=conversation))
    page.locator("#messages .message.staff", has_text="I have read everything.").wait_for(timeout=ANSWER_MS)
    page.locator(".banner.human").wait_for()
    chat.write("Thank you")
    chat.own.filter(has_text="Thank you").wait_for()
    page.get_by_role("button", name="End conversation").click()
    page.locator(".banner.closed").wait_for()
    calm(chat)
    assert not alarms, "polling works, so nothing is said about the line"
    live = said(page)
    page.reload()
    assert said(page) == live
    assert len(set(live)) == len(live)


def test_the_socket_goes_and_comes_back(chat: Chat) -> None:
    page, wall = chat.page, Wall(chat.page)
    chat.open()
    chat.ask("Hello")
    assert page.evaluate("Polling.isUp()")
    assert wall.passed == 0

    wall.is_up = False
    page.evaluate("dispatchEvent(new Event('online'))")  # else it is tried in its own time, seconds apart
    page.wait_for_function("() => !Polling.isOn()")
    assert wall.passed == 1
    chat.ask("Do gift cards expire?")
    before = said(page)
    assert len(before) == len(set(before)) == 4

    wall.put_up()
    chat.write("How long do I have to return something?")  # while neither stands
    page.wait_for_function("() => Polling.isUp()")
    chat.answers.nth(2).wait_for(timeout=ANSWER_MS)
    calm(chat)
    live = said(page)
    assert live[:4] == before
    assert len(live) == len(set(live)) == 6
    page.reload()
    assert said(page) == live
