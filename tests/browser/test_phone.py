"""On a phone: the composer stays above the keyboard, targets are for thumbs, notches and sideways leave it usable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import WATCH, Chat
from tests.browser.looking import measured, script
from tests.stack import Stack

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator

pytestmark = [pytest.mark.timeout(180), pytest.mark.deep]
THUMB = 44
# A visual viewport that a test moves: an iPhone's keyboard makes it smaller and pushes it down, the layout stays.
IPHONE = """
window.keyboard = Object.assign(new EventTarget(), {
    get width() { return innerWidth; }, height: innerHeight, scale: 1, offsetTop: 0, offsetLeft: 0, pageTop: 0 });
keyboard.opens = (height, offsetTop, scale = 1) => {
    Object.assign(keyboard, { height, offsetTop, scale });
    keyboard.dispatchEvent(new Event("resize"));
    keyboard.dispatchEvent(new Event("scroll"));
};
Object.defineProperty(window, "visualViewport", { value: keyboard });
"""


@pytest.fixture
def phone(stack: Stack, browser: BrowserContext) -> Iterator[Chat]:
    """A phone of 390 by 844 with a touch screen."""
    assert browser.browser
    context = browser.browser.new_context(
        base_url=stack.url,
        locale="en-US",
        viewport={"width": 390, "height": 844},
        device_scale_factor=3,
        is_mobile=True,
        has_touch=True,
    )
    context.add_init_script(script())
    context.add_init_script(WATCH)
    page = context.new_page()
    yield Chat(page)
    assert not page.evaluate("window.violations || []")


def place(found: Locator) -> dict[str, Any]:
    box = found.bounding_box()
    assert box, f"{found} is not there"
    return {**box, "bottom": box["y"] + box["height"]}


def test_the_composer_stays_above_an_iphones_keyboard(phone: Chat) -> None:
    page = phone.page
    page.context.add_init_script(IPHONE)
    phone.open()
    answer = phone.ask("How much is express shipping?")
    field = page.get_by_label("Your message")
    assert page.evaluate("parseFloat(getComputedStyle(document.getElementById('text')).fontSize)") >= 16
    for height, pushed in ((508, 0), (508, 336), (420, 120)):
        page.evaluate("given => keyboard.opens(...given)", [height, pushed])
        at, last = place(field), place(answer.locator(".feedback"))
        assert at["bottom"] <= pushed + height, "the composer is behind the keyboard"
        assert at["y"] >= pushed, "the composer is above what is seen"
        assert place(page.locator(".notice-bar"))["y"] >= pushed, "the page is not where it is looked at"
        assert last["bottom"] <= at["y"], "the last words are behind the composer"
    page.evaluate("keyboard.opens(422, 200, 2)")  # zoomed in by two fingers, the keyboard is closed
    assert abs(place(field)["bottom"] - 844) < 60, "zooming in squeezes the page"


def test_the_composer_stays_above_an_androids_keyboard(phone: Chat) -> None:
    """There the window itself gets smaller, as the viewport's meta tag asks for."""
    page = phone.page
    phone.open()
    assert "interactive-widget=resizes-content" in str(page.locator("meta[name=viewport]").get_attribute("content"))
    answer = phone.ask("How much is express shipping?")
    for width, height in ((390, 500), (844, 390), (640, 360), (640, 190)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function("height => innerHeight === height", arg=height)
        page.wait_for_function(
            "() => { const log = document.getElementById('scroll');"
            " return log.scrollTop + log.clientHeight >= log.scrollHeight - 2; }"
        )
        field = place(page.get_by_label("Your message"))
        assert field["bottom"] <= height, f"the composer is out of sight at {width} by {height}"
        log = place(page.locator("#scroll"))
        assert log["height"] >= 70, f"nothing is to be read at {width} by {height}"
        assert place(answer.locator(".feedback"))["bottom"] <= log["bottom"] + 1
        assert page.get_by_text("An AI assistant answers").is_visible()
        assert not measured(page, "wide")


def test_what_thumbs_press_is_large_enough(phone: Chat) -> None:
    page = phone.page
    phone.open()
    assert not thin(phone, [".opener", "#send", "#text", "#human button", ".site-nav a", ".brand"])
    phone.ask("How much is express shipping?")
    page.get_by_role("button", name="Talk to a person").tap()
    page.locator(".card.promise").wait_for()
    assert not thin(phone, [".card .button", ".card .input", "#end", ".chip", ".feedback button"])
    page.get_by_role("button", name="End conversation").tap()
    page.locator("#survey").wait_for()
    assert not thin(phone, ["#survey fieldset label span", "#survey .button", ".banner .button"])
    assert not measured(page, "small")
    page.goto("/account/login/")
    assert not thin(phone, ["main .button", "main .input"])


def thin(phone: Chat, selectors: list[str]) -> list[str]:
    """What is lower than a thumb is wide; a selector that finds nothing is wrong too."""
    found = []
    for selector in selectors:
        boxes = [box for one in phone.page.locator(selector).all() if (box := one.bounding_box())]
        assert boxes, f"{selector} is not on the page"
        found += [f"{selector}: {box['height']}" for box in boxes if box["height"] < THUMB]
    return found


def test_notches_cover_nothing(phone: Chat) -> None:
    """The page goes to the edges of the screen, and keeps what is on it away from them."""
    page = phone.page
    page.set_viewport_size({"width": 844, "height": 390})
    phone.open()
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setSafeAreaInsetsOverride", {"insets": {"top": 0, "left": 47, "right": 47, "bottom": 21}})
    assert "viewport-fit=cover" in str(page.locator("meta[name=viewport]").get_attribute("content"))
    for found in (page.locator(".brand"), page.get_by_label("Your message"), page.locator(".opener").first):
        assert place(found)["x"] >= 47
    send = place(page.locator("#send"))
    assert send["x"] + send["width"] <= 844 - 47
    assert send["bottom"] <= 390 - 21
