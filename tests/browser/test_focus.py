"""Tab goes through each page in its order, always seen, never stuck; what arrives takes the focus from nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import ANSWER_MS, Chat
from tests.browser.looking import focus_of, script
from tests.stack import Stack

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.addresses import Addresses

pytestmark = [pytest.mark.timeout(240), pytest.mark.deep]
MOST = 250
LEAST_CONTRAST = 3.0  # WCAG 1.4.11, of the ring with what is round it
FROM_THE_TOP = """() => {
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
}"""
CUSTOMERS = ["/", "help/", "help/<slug>/", "message/", "chat/transcript/"]
STAFF = [
    *("admin/inbox/", "admin/inbox/<conversation_id>/", "admin/traces/", "admin/traces/<conversation_id>/"),
    *("admin/ops/", "admin/report/", "admin/ops/controls/", "admin/"),
]


def walked(page: Page, where: str) -> list[str]:
    """Everything wrong on the way through a page by Tab, from its top to its end."""
    wrong: list[str] = []
    before = -1
    page.evaluate(FROM_THE_TOP)
    for number in range(MOST):
        page.keyboard.press("Tab")
        stop = focus_of(page)
        if stop is None or (number and stop["index"] == before):
            return wrong if number else [f"{where}: nothing is reached"]
        if number == 0 and "Skip" not in stop["name"]:
            wrong.append(f"{where}: begins at {stop['name']}, not at the way past the header")
        if stop["index"] < before:
            return wrong  # round once
        if not stop["ring"]:
            wrong.append(f"{where}: nothing shows the focus on {stop['name']}")
        elif stop["ring"]["contrast"] < LEAST_CONTRAST:
            wrong.append(f"{where}: the ring of {stop['name']} has a contrast of {stop['ring']['contrast']}")
        if not stop["inSight"]:
            wrong.append(f"{where}: {stop['name']} is under {stop['over']}")
        before = stop["index"]
    return [*wrong, f"{where}: no end after {MOST} stops"]


def test_tab_through_the_pages(people: dict[str, Page], addresses: Addresses) -> None:
    found: list[str] = []
    for who, names in (("stranger", ["/", "account/login/"]), ("customer", CUSTOMERS), ("admin", STAFF)):
        page = people[who]
        for name in names:
            page.emulate_media(color_scheme="dark" if name in STAFF[::2] else "light")
            page.set_viewport_size({"width": 1280, "height": 720})
            page.goto(addresses["pages"][name])
            found += walked(page, name)
    assert not found, "\n".join(found)


def test_no_order_but_the_pages_own(people: dict[str, Page], addresses: Addresses) -> None:
    for who, names in (("customer", CUSTOMERS), ("admin", STAFF)):
        for name in names:
            people[who].goto(addresses["pages"][name])
            assert people[who].locator("[tabindex]:not([tabindex='0']):not([tabindex='-1'])").count() == 0, name


def test_what_arrives_leaves_the_focus_where_it_is(stack: Stack, chat: Chat) -> None:
    """A second window of the same customer writes, and its answer comes into the first as well."""
    order = stack.demo()["customers"][0]["orders"][0]["order_number"]
    page = chat.page
    chat.open()
    chat.ask("What is your return policy?")
    chat.ask(f"Where is my order {order}?")
    chat.ask("My email is nobody.we.know@example.com")
    code = page.get_by_role("textbox", name="Six-digit code")
    code.fill("12")
    other = Chat(page.context.new_page())
    other.open()
    other.connected()
    places = [
        (code, "How much is express shipping?"),
        (page.get_by_role("button", name="Verify"), "What does shipping cost?"),
        (page.locator("#messages .chip").first, "How long does standard shipping take?"),
        (page.locator("#scroll"), "What does express shipping cost?"),
    ]
    for place, question in places:
        place.focus()
        page.evaluate("window.here = document.activeElement")
        before = chat.answers.count()
        other.ask(question)
        chat.answers.nth(before).wait_for(timeout=ANSWER_MS)
        assert page.evaluate("document.activeElement === window.here"), f"an answer took the focus from {place}"
    assert code.input_value() == "12"
    page.get_by_label("Your message").fill("Half a word")
    page.evaluate("document.getElementById('text').setSelectionRange(4, 4)")
    other.ask("How much is express shipping?")
    assert page.evaluate("[document.activeElement.id, document.activeElement.selectionStart]") == ["text", 4]


def test_what_goes_away_hands_the_focus_on(chat: Chat) -> None:
    """Buttons that are gone once pressed: an opener, the way to a person, an answer of a card, the end."""
    page = chat.page
    page.context.add_init_script(script())
    chat.open()

    def press(name: str) -> None:
        page.get_by_role("button", name=name).focus()
        page.keyboard.press("Enter")

    press("What does shipping cost?")
    chat.answers.first.wait_for(timeout=ANSWER_MS)
    page.wait_for_function("() => document.activeElement.id === 'text'")
    press("This helped")
    page.locator(".feedback button[aria-pressed=true]").first.wait_for(timeout=ANSWER_MS)
    page.wait_for_function("() => document.activeElement.closest('.message.assistant')")
    press("Talk to a person")
    page.locator(".banner.waiting").wait_for(timeout=ANSWER_MS)
    page.wait_for_function("() => document.activeElement.id === 'text'")
    press("End conversation")
    page.locator("#survey").wait_for(timeout=ANSWER_MS)
    page.wait_for_function("() => document.activeElement !== document.body")
    assert focus_of(page)
