"""The inbox's list in a real browser: live without a jump, the title's badge, keys, and what a lost line looks like."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import WATCH
from tests.stack import Stack

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

pytestmark = pytest.mark.timeout(300)
SOON_MS = 15_000
BADGE = re.compile(r"^\((\d+)\) ")


@pytest.fixture
def inbox(stack: Stack, browser: BrowserContext) -> Iterator[Page]:
    """The inbox of the demo's agent, connected; an error in the console or a broken policy fails the test."""
    problems: list[str] = []
    browser.add_init_script(WATCH)
    page = browser.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.set_viewport_size({"width": 1440, "height": 620})
    agent = next(one for one in stack.demo()["staff"] if one["role"] == "agent")
    page.goto("/admin/login/?next=/admin/inbox/")
    page.fill("#id_username", agent["username"])
    page.fill("#id_password", agent["password"])
    page.press("#id_password", "Enter")
    page.wait_for_selector("#inbox.is-online")
    yield page
    problems += page.evaluate("window.violations || []")
    assert not problems


@pytest.fixture
def customer_asks(stack: Stack, browser: BrowserContext) -> Callable[[], str]:
    """A customer in another browser asks for a person; the conversation's id."""

    def ask() -> str:
        assert browser.browser is not None
        other = browser.browser.new_context(base_url=stack.url)
        page = other.new_page()
        page.goto("/")
        page.get_by_role("button", name="Talk to a person").click()
        page.locator(".banner.waiting").wait_for(timeout=SOON_MS)
        return str(page.locator("#chat").get_attribute("data-conversation"))

    return ask


def badge(page: Page) -> int:
    found = BADGE.match(page.title())
    return int(found[1]) if found else 0


def test_the_list_is_live_and_nothing_jumps(inbox: Page, customer_asks: Callable[[], str]) -> None:
    before = badge(inbox)
    assert before == int(inbox.locator("#tab-waiting b").inner_text())
    inbox.locator('.row input[name="conversation"]').nth(1).check()
    inbox.keyboard.press("j")
    inbox.evaluate("""() => {
        window.here = document.activeElement;
        window.rang = 0;
        document.addEventListener("inbox:ring", () => { window.rang += 1; });
        const scroll = document.getElementById("rows-scroll");
        scroll.scrollTop = 60;
        window.top0 = window.here.getBoundingClientRect().top;
    }""")
    assert inbox.evaluate("document.getElementById('rows-scroll').scrollTop") == 60  # the list scrolls by itself
    assert inbox.evaluate("document.getElementById('pane-thread').getBoundingClientRect().bottom") <= 620
    assert inbox.evaluate("document.activeElement.matches('.row > a')")
    chosen = inbox.locator('.row input[name="conversation"]:checked').get_attribute("value")

    conversation = customer_asks()
    inbox.locator(f"#row-{conversation}").wait_for(timeout=SOON_MS)
    inbox.wait_for_function(f"document.title.startsWith('({before + 1}) ')", timeout=SOON_MS)
    assert inbox.locator("#tab-waiting b").inner_text() == str(before + 1)
    inbox.locator("#inbox-said", has_text="began to wait").wait_for(state="attached", timeout=SOON_MS)
    assert inbox.evaluate("[document.activeElement === window.here, window.rang]") == [True, 1]
    assert abs(inbox.evaluate("window.here.getBoundingClientRect().top - window.top0")) < 2
    assert inbox.locator('.row input[name="conversation"]:checked').get_attribute("value") == chosen
    inbox.locator(f"#row-{conversation} .there").wait_for(timeout=SOON_MS)  # their chat is open

    inbox.locator("#bulk-to").select_option("")
    inbox.get_by_role("button", name="Assign").click()
    inbox.locator(".toast").wait_for()
    assert inbox.locator(".bulk").is_hidden()


def test_keys_move_open_search_and_can_be_turned_off(inbox: Page) -> None:
    def here() -> int:
        return int(inbox.evaluate("[...document.querySelectorAll('.row > a')].indexOf(document.activeElement)"))

    for key, expected in (("j", 0), ("j", 1), ("j", 2), ("k", 1)):
        inbox.keyboard.press(key)
        assert here() == expected
    inbox.keyboard.press("x")
    assert "1 chosen" in inbox.locator(".bulk").inner_text()
    inbox.keyboard.press("/")
    assert inbox.evaluate("document.activeElement.id") == "inbox-search"
    inbox.keyboard.type("jk?")
    assert inbox.locator("#inbox-search").input_value() == "jk?"
    inbox.keyboard.press("Escape")
    inbox.locator("#inbox-search").fill("")
    inbox.locator(".row > a").first.focus()
    address = inbox.locator(".row > a").first.get_attribute("href")
    inbox.keyboard.press("Enter")
    inbox.wait_for_url(f"**{address}")
    assert inbox.locator(".row.is-open").count() == 1

    inbox.keyboard.press("?")
    dialog = inbox.get_by_role("dialog", name="Help and settings")
    dialog.wait_for()
    with inbox.expect_response("**/admin/inbox/preferences/"):
        dialog.get_by_label("Keys of one letter").uncheck()
    dialog.get_by_role("button", name="Close").click()
    inbox.locator("body").press("j")
    assert here() == -1
    inbox.reload()
    inbox.wait_for_selector("#inbox.has-script")
    inbox.locator("body").press("?")
    assert dialog.is_hidden()
    inbox.get_by_role("button", name="Help and settings").click()
    with inbox.expect_response("**/admin/inbox/preferences/"):
        dialog.get_by_label("Keys of one letter").check()


def test_arrow_keys_through_the_availabilities_count_where_they_stop(inbox: Page) -> None:
    sent: list[str | None] = []
    inbox.on("request", lambda one: sent.append(one.post_data) if one.url.endswith("/availability/") else None)
    choice = inbox.locator("#availability-choice")
    with inbox.expect_response("**/admin/inbox/availability/"):
        choice.select_option("busy")
        choice.select_option("away")
    assert len(sent) == 1
    assert "away" in str(sent[0])


def test_the_focus_is_where_the_work_goes_on(inbox: Page, customer_asks: Callable[[], str]) -> None:
    """On a new page at the thread's heading; into the customer's pane and back; on the menu that was used."""

    def focused() -> str:
        return str(inbox.evaluate("document.activeElement.id || document.activeElement.innerText"))

    inbox.set_viewport_size({"width": 1024, "height": 768})
    inbox.goto(f"/admin/inbox/{customer_asks()}/")
    inbox.wait_for_selector("#inbox.is-online")
    assert focused() == "thread-title"
    opener, closer = (inbox.get_by_role("button", name=name, exact=True) for name in ("Customer", "Close"))
    opener.click()
    assert focused() == "×"
    inbox.keyboard.press("Escape")
    assert focused() == "Customer"
    opener.click()
    closer.click()
    assert focused() == "Customer"
    inbox.locator("#snooze").click()
    with inbox.expect_response("**/snooze/"):
        inbox.locator(".menu[open] button").first.click()
    toast = inbox.locator("#toasts .toast")
    toast.wait_for()
    assert focused() == "snooze"
    place, send = toast.bounding_box(), inbox.locator("#composer").bounding_box()
    assert place is not None
    assert send is not None
    assert place["y"] + place["height"] < send["y"]


def test_a_lost_line_is_said_calmly_and_made_again(inbox: Page, customer_asks: Callable[[], str]) -> None:
    inbox.context.set_offline(True)
    inbox.get_by_text("Offline. Trying again.").wait_for(timeout=SOON_MS)
    conversation = customer_asks()
    assert inbox.locator(f"#row-{conversation}").count() == 0
    inbox.context.set_offline(False)
    inbox.wait_for_selector("#inbox.is-online", timeout=SOON_MS)
    inbox.locator(f"#row-{conversation}").wait_for(timeout=SOON_MS)
    assert inbox.locator("#inbox-line").inner_text() == ""


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (1024, True), (360, False)])
def test_axe_finds_nothing_and_nothing_overflows(inbox: Page, width: int, dark: bool) -> None:
    inbox.set_viewport_size({"width": width, "height": 800})
    inbox.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
    found: list[str] = []

    def look(where: str) -> None:
        broken = Axe().run(inbox).response["violations"]
        found.extend(f"{where}: {one['id']} {[node['target'] for node in one['nodes']][:3]}" for one in broken)
        assert inbox.evaluate("document.documentElement.scrollWidth") <= width

    inbox.goto("/admin/inbox/?tab=all")
    look("list")
    inbox.locator('.row input[name="conversation"]:enabled').first.check()
    look("chosen")
    inbox.locator("#filter-box summary").click()
    look("filters")
    inbox.keyboard.press("Escape")
    inbox.get_by_role("button", name="Help and settings").click()
    look("help")
    inbox.keyboard.press("Escape")
    inbox.goto("/admin/inbox/?q=nothing-like-this")
    look("nothing found")
    inbox.goto("/admin/inbox/?tab=all")
    inbox.goto(str(inbox.locator(".row > a").first.get_attribute("href")))
    look("thread")
    inbox.evaluate("document.getElementById('thread').classList.add('is-offline')")
    look("thread without a line")
    assert not found, "\n".join(found)
