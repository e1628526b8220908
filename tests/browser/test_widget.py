"""The widget on a page of another origin, with a strict policy, hostile styles, and third-party cookies blocked."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import ANSWER_MS, WATCH
from tests.conftest import CHROMIUM
from tests.stack import WIDGET_HOST, Stack

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, FrameLocator, Locator, Page

pytestmark = [pytest.mark.timeout(240), pytest.mark.browser, pytest.mark.deep]
PHONE_WIDTH, PHONE_HEIGHT = 360, 740
# As a browser is when its owner blocks third-party cookies: Playwright alone switches the parting of storage off.
STRICT = ["--no-sandbox", "--test-third-party-cookie-phaseout", "--disable-features=MediaRouter"]
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/hostile.css">
<script async src="{url}/widget.js"{options}></script></head><body><main><h1>A shop</h1><p id="words">Its own words.</p>
<p class="tall">Far down</p></main></body></html>"""
HOSTILE = """
* { font-size: 40px !important; letter-spacing: 9px !important; text-transform: uppercase !important; }
html, body, div { transform: rotate(2deg); }
button, dialog, iframe, aside, svg { display: none !important; }
support-chat { all: unset !important; display: none !important; opacity: 0 !important; }
.tall { margin-block-start: 3000px; }
"""


@contextmanager
def host_site(url: str) -> Iterator[None]:
    """A site on another origin: localhost, where the product is 127.0.0.1."""
    policy = (
        f"default-src 'none'; script-src {url}/widget.js; style-src 'self'; frame-src {url}; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_style = self.path == "/hostile.css"
            self.send_response(200)
            self.send_header("Content-Type", "text/css" if is_style else "text/html")
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            options = ' data-greeting="Need a hand?"' if self.path == "/greeting" else ""
            self.wfile.write((HOSTILE if is_style else PAGE.format(url=url, options=options)).encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", int(WIDGET_HOST.rpartition(":")[2])), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Shop:
    """A visitor of that site, and what they see of the chat in it."""

    context: BrowserContext
    page: Page
    problems: list[str] = field(default_factory=list)

    @property
    def launcher(self) -> Locator:
        return self.page.locator("#launcher")

    @property
    def frame(self) -> FrameLocator:
        return self.page.frame_locator("support-chat iframe")

    @property
    def answers(self) -> Locator:
        return self.frame.locator("#messages .message.assistant")

    def visit(self, path: str = "/") -> None:
        self.page.goto(f"{WIDGET_HOST}{path}")
        self.launcher.wait_for()

    def open(self) -> None:
        self.launcher.click()
        self.ready()

    def ready(self) -> None:
        self.frame.locator("html[data-ready]").wait_for(timeout=ANSWER_MS)

    def ask(self, text: str) -> None:
        before = self.answers.count()
        self.frame.get_by_label("Your message").fill(text)
        self.frame.get_by_label("Your message").press("Enter")
        self.answers.nth(before).wait_for(timeout=ANSWER_MS)

    def call(self, *values: str) -> None:
        self.page.evaluate("(values) => SupportChat(...values)", values)

    def expect(self, state: str, script: str) -> None:
        """Wait until an expression of the page around holds."""
        self.page.wait_for_function(f"() => {script}", timeout=ANSWER_MS)

    def cookies(self) -> list[str]:
        return [cookie["name"] for cookie in self.context.cookies()]

    def axe(self, where: str) -> None:
        found = Axe().run(self.page).response["violations"]
        self.problems += [f"{where}: {one['id']} {[node['target'] for node in one['nodes']][:3]}" for one in found]


@pytest.fixture
def shop(stack: Stack) -> Iterator[Shop]:
    from playwright.sync_api import sync_playwright

    with host_site(stack.url), sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=STRICT)
        context = chromium.new_context(locale="en-US", reduced_motion="reduce")
        context.add_init_script(WATCH)
        made = Shop(context, context.new_page())
        made.page.on("pageerror", lambda error: made.problems.append(str(error)))
        yield made
        for frame in made.page.frames:
            made.problems += frame.evaluate("window.violations || []")
        assert not made.problems, "\n".join(made.problems)
        assert made.cookies() == []  # none was set, and none was needed
        chromium.close()


def signed(stack: Stack, number: int, **claims: Any) -> str:
    """An identity of one of the demo's customers, as their shop's server signs it."""
    email = stack.demo()["customers"][number]["email"]
    body = {"sub": f"widget-{number}", "email": email, "exp": int(time.time()) + 300, **claims}
    return jwt.encode(body, stack.environment["IDENTITY_SECRET"], algorithm="HS256")


def test_a_visitor_of_another_site(shop: Shop) -> None:
    page = shop.page
    shop.visit()
    shape = shop.launcher.evaluate(
        """(made) => {
            const box = made.getBoundingClientRect(), style = getComputedStyle(made);
            return [box.width, innerHeight - box.bottom, style.letterSpacing, style.textTransform, style.opacity];
        }"""
    )
    assert shape == [56, 16, "normal", "none", "1"]  # the site's styles have no effect
    assert page.locator("#words").evaluate("(made) => getComputedStyle(made).fontSize") == "40px"  # nor ours on it
    assert page.locator("support-chat iframe").count() == 0  # nothing is loaded before it is opened
    shop.open()
    assert shop.launcher.get_attribute("aria-expanded") == "true"
    shop.ask("How much is express shipping?")
    shop.axe("open")
    link = shop.frame.locator(".sources a").first
    with shop.context.expect_page() as opened:
        link.click()
    assert "/help/" in opened.value.url
    assert opened.value.evaluate("window.opener") is None
    assert shop.cookies() == ["csrftoken"]  # the help centre's own, in a page of its own
    shop.context.clear_cookies()
    opened.value.close()
    shop.frame.get_by_label("Your message").press("Escape")
    shop.expect("closed", "document.querySelector('support-chat').shadowRoot.activeElement?.id === 'launcher'")
    assert shop.launcher.get_attribute("aria-expanded") == "false"
    # The answer comes to a closed chat.
    shop.frame.locator("#text").evaluate("(text) => { text.value = 'And standard?'; text.form.requestSubmit(); }")
    shop.page.get_by_role("button", name="Open chat. Unread messages: 1").wait_for(timeout=ANSWER_MS)
    shop.axe("closed")
    page.reload()
    unread = page.get_by_role("button", name="Open chat. Unread messages: 1")  # counted without the chat itself
    unread.wait_for(timeout=ANSWER_MS)
    assert any("quiet=1" in frame.url for frame in page.frames)
    unread.click()
    page.get_by_role("button", name="Close chat", exact=True).wait_for()
    shop.ready()
    page.locator("#badge:empty").wait_for(state="attached", timeout=ANSWER_MS)
    shop.answers.nth(1).wait_for(timeout=ANSWER_MS)
    assert shop.frame.locator("#messages .message").count() == 4  # the same conversation goes on
    page.set_viewport_size({"width": PHONE_WIDTH, "height": PHONE_HEIGHT})
    full = page.locator("dialog.full:modal")
    full.wait_for()
    assert full.bounding_box() == {"x": 0, "y": 0, "width": PHONE_WIDTH, "height": PHONE_HEIGHT}
    assert page.evaluate("document.documentElement.style.overflow") == "hidden"
    shop.axe("phone")
    shop.frame.get_by_role("button", name="Close chat").click()
    full.wait_for(state="hidden")
    assert page.evaluate("document.documentElement.style.overflow") == ""


def test_who_it_is(shop: Shop, stack: Stack) -> None:
    """One person's conversation is never shown to the next."""
    shop.visit()
    shop.page.evaluate("""() => {
        window.told = [];
        SupportChat("on", "error", ({ code }) => told.push(code));
        SupportChat("on", "identified", () => told.push("identified"));
    }""")
    shop.open()
    shop.call("identify", signed(stack, 2, exp=int(time.time()) - 60))
    shop.ask("How do I return something?")  # an expired identity: the customer sees nothing of it
    shop.expect("told", "told.join() === 'identity_expired'")
    assert shop.frame.locator("#alert").inner_text() == ""
    shop.call("identify", signed(stack, 2))
    shop.expect("told", "told.join() === 'identity_expired,identified'")
    mine = stack.demo()["customers"][2]["orders"][0]["order_number"]
    shop.ask(f"Where is my order {mine}?")
    assert mine in shop.answers.nth(1).inner_text()
    shop.call("identify", signed(stack, 3))
    shop.frame.get_by_role("heading", name="How can we help?").wait_for(timeout=ANSWER_MS)
    shop.ready()
    assert shop.frame.locator("#messages .message").count() == 0
    shop.ask(f"Where is my order {mine}?")
    assert "not" in shop.answers.last.inner_text()
    shop.call("logout")
    shop.frame.get_by_role("heading", name="How can we help?").wait_for(timeout=ANSWER_MS)
    shop.ready()
    shop.page.reload()
    shop.open()
    assert shop.frame.locator("#messages .message").count() == 0


def test_our_page_keeps_no_secret_of_its_own_in_the_open(shop: Shop, stack: Stack) -> None:
    """The site around never gets the conversation's token: not in its storage, not by a message."""
    shop.visit("/greeting")
    shop.page.get_by_role("button", name="Dismiss").click()
    shop.visit("/greeting")
    assert "greeted" in shop.page.evaluate("localStorage['support-chat']")  # it will not be shown again
    shop.page.evaluate("window.heard = []; addEventListener('message', ({ data }) => heard.push(data))")
    shop.open()
    shop.ask("Do gift cards expire?")
    inside = next(frame for frame in shop.page.frames if "/widget/" in frame.url)
    token = inside.evaluate("JSON.parse(localStorage.widget).anon.token")
    assert token not in shop.page.evaluate("JSON.stringify([heard, { ...localStorage }])")
    assert shop.page.evaluate("heard") == [{"support": "ready"}]
    assert token not in stack.log.read_text()
