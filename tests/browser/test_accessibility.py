"""axe finds nothing to mend in the customers' pages, light and dark, at every state of a conversation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import Chat
from tests.browser.test_customer_path import paid_order
from tests.stack import Stack

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.timeout(180)


def problems(page: Page, where: str) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{where}: {one['id']} {[node['target'] for node in one['nodes']][:3]}" for one in found]


@pytest.mark.parametrize(("width", "dark"), [(360, False), (1440, True)])
def test_every_state_of_the_chat(stack: Stack, sized: Callable[[int, int], Chat], width: int, dark: bool) -> None:
    chat = sized(width, 800)
    page = chat.page
    page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
    found: list[str] = []
    for path in (
        "/account/login/",
        "/demo/mail/",
        "/privacy/",
        "/message/",
        "/chat/back/?token=x",
        "/no-such-page/",
        "/",
    ):
        page.goto(path)
        found += problems(page, path)
    chat.ask("How much is express shipping?")
    found += problems(page, "answer")
    name, order_number = paid_order(stack)
    chat.sign_in(name)
    chat.ask(f"Please cancel order {order_number}, I ordered it by mistake")
    page.locator('.card[data-state="proposed"]').wait_for()
    found += problems(page, "proposal")
    page.get_by_role("button", name="Decline").click()
    page.locator('.card[data-state="declined"]').wait_for()
    page.get_by_role("button", name="Talk to a person").click()
    page.locator('.card.promise[data-state="open"]').wait_for()
    found += problems(page, "waiting")
    page.goto("/chat/transcript/")
    found += problems(page, "by e-mail")
    page.goto("/")
    page.get_by_role("button", name="End conversation").click()
    page.locator(".banner.closed").wait_for()  # who was asked lately how it was is not asked again
    found += problems(page, "closed")
    assert not found, "\n".join(found)
