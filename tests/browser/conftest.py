"""The chat as a customer uses it: a real browser on the running product, with the demo model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.looking import script
from tests.stack import Stack

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

    from tests.browser.addresses import Addresses

ANSWER_MS = 20_000
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(
    `${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""


class Chat:
    """What a customer does and sees on the chat page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def answers(self) -> Locator:
        return self.page.locator("#messages .message.assistant")

    @property
    def own(self) -> Locator:
        return self.page.locator("#messages .message.customer")

    def open(self) -> None:
        self.page.goto("/")

    def write(self, text: str) -> None:
        self.page.get_by_label("Your message").fill(text)
        self.page.keyboard.press("Enter")

    def ask(self, text: str) -> Locator:
        """Send a message and wait for the whole answer."""
        before = self.answers.count()
        self.write(text)
        answer = self.answers.nth(before)
        answer.wait_for(timeout=ANSWER_MS)
        self.page.locator("#activity:empty").wait_for(state="attached", timeout=ANSWER_MS)
        return answer

    def sign_in(self, name: str) -> None:
        """The demo's one click."""
        self.page.goto("/account/login/")
        self.page.get_by_role("button", name=name).click()
        self.page.wait_for_url("**/")

    def connected(self) -> None:
        self.page.locator("#connection:empty").wait_for(state="attached", timeout=ANSWER_MS)


@pytest.fixture
def chat(browser: BrowserContext) -> Iterator[Chat]:
    """The chat page in a fresh profile; an error in the console or a broken policy fails the test."""
    problems: list[str] = []
    browser.add_init_script(WATCH)
    page = browser.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield Chat(page)
    problems += page.evaluate("window.violations || []")
    assert not problems


@pytest.fixture
def sized(chat: Chat) -> Callable[[int, int], Chat]:
    """The chat in a window of a given size, in CSS pixels."""

    def resize(width: int, height: int) -> Chat:
        chat.page.set_viewport_size({"width": width, "height": height})
        return chat

    return resize


@pytest.fixture(scope="session")
def addresses(stack: Stack) -> Addresses:
    """Where every page is, as browser/addresses.py finds it in the running product."""
    output = stack.manage("shell", "-c", "from tests.browser.addresses import tell; tell()")
    told: Addresses = json.loads(output.strip().splitlines()[-1])
    return told


@pytest.fixture
def people(stack: Stack, browser: BrowserContext, addresses: Addresses) -> dict[str, Page]:
    """A page for everybody who looks, signed in once: stranger, customer, admin."""
    assert browser.browser
    pages = {}
    for name, cookie in addresses["cookies"].items():
        context = browser.browser.new_context(base_url=stack.url, locale="en-US")
        if cookie:
            context.add_cookies([{"name": "sessionid", "value": cookie, "url": stack.url}])
        context.add_init_script(script())
        pages[name] = context.new_page()
        pages[name].emulate_media(reduced_motion="reduce")
    return pages
