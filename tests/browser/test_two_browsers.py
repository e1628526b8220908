"""Two browsers at once: a customer is handed over, served by a person, and handed back to the assistant."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import WATCH, Chat
from tests.stack import Stack

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

pytestmark = pytest.mark.timeout(240)
SOON = 20_000


@pytest.fixture
def desk(chat: Chat, stack: Stack) -> Iterator[Page]:
    """A second browser, where a member of staff is signed in and has the inbox open."""
    engine = chat.page.context.browser
    assert engine is not None
    problems: list[str] = []
    context: BrowserContext = engine.new_context(
        base_url=stack.url, locale="en-US", viewport={"width": 1440, "height": 900}
    )
    context.add_init_script(WATCH)
    page = context.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.emulate_media(reduced_motion="reduce")
    staff = next(one for one in stack.demo()["staff"] if one["role"] == "agent")
    page.goto("/admin/login/?next=/admin/inbox/")
    page.get_by_label("Username").fill(staff["username"])
    page.get_by_label("Password").fill(staff["password"])
    page.keyboard.press("Enter")
    page.locator("#rows").wait_for()
    yield page
    problems += page.evaluate("window.violations || []")
    context.close()
    assert not problems


def test_handed_over_served_and_handed_back(stack: Stack, chat: Chat, desk: Page) -> None:
    customer = chat.page
    person = stack.demo()["customers"][1]
    chat.sign_in(person["name"])
    chat.connected()
    chat.ask("What is your return policy?")
    customer.get_by_role("button", name="Talk to a person").click()
    customer.locator(".banner.waiting").wait_for(timeout=SOON)

    # The inbox hears of it without a reload; the person takes over.
    row = desk.locator(".row", has_text=person["name"]).first
    row.wait_for(timeout=SOON)
    row.locator("a").click()
    desk.locator("#said .word.customer", has_text="return policy").wait_for(timeout=SOON)
    desk.get_by_role("button", name="Take over").click()
    customer.locator(".banner.human").wait_for(timeout=SOON)
    assert customer.locator("#person-answers").is_visible()
    assert not customer.get_by_text("An AI assistant answers").is_visible()
    reply = desk.locator("#reply")
    reply.wait_for(timeout=SOON)

    # Live both ways: typing is seen on either side, and each message arrives by itself.
    desk.keyboard.press("r")
    desk.wait_for_function("() => document.activeElement?.id === 'reply'")
    desk.keyboard.type("Hello, I have read everything", delay=60)
    typing_until(desk, customer.locator("#activity .label", has_text="is typing"))
    assert "I have read everything" in desk.locator("#reply").input_value(), desk.locator("#pane-thread").inner_text()
    desk.keyboard.press("Control+Enter")
    customer.locator("#messages .message.staff", has_text="I have read everything").wait_for(timeout=SOON)
    customer.get_by_label("Your message").press_sequentially("One question", delay=40)
    typing_until(customer, desk.locator("#typing:not([hidden])", has_text="is typing"))
    customer.keyboard.press("Enter")
    desk.locator("#said .word.customer", has_text="One question").wait_for(timeout=SOON)

    # A private note is for the desk alone; a draft of a reply survives a reload.
    desk.locator("#reply").fill("A reply half")
    desk.locator("#thread-scroll").focus()
    desk.keyboard.press("n")
    desk.keyboard.type("Between us, ask @le")
    desk.locator("#suggestions [role=option]").first.wait_for(timeout=SOON)
    desk.keyboard.press("Enter")
    desk.keyboard.press("Control+Enter")
    desk.locator("#said .word.note", has_text="Between us, ask @lead").wait_for(timeout=SOON)
    desk.reload()
    desk.locator("#said .word.note").wait_for()
    assert desk.locator("#reply").input_value() == "A reply half"

    # AI draft: suggested, inserted, sent by the person alone.
    desk.locator("#reply").fill("")
    desk.get_by_role("button", name="AI draft").click()
    card = desk.locator(".assist.draft", has_text="Suggested, not sent")
    card.wait_for(timeout=SOON)
    assert not problems_of(desk)
    replies = customer.locator("#messages .message.staff").count()
    card.get_by_role("button", name="Insert").click()
    desk.locator(".assist.draft", has_text="Inserted, not sent").wait_for(timeout=SOON)
    filled(desk, person["name"].split()[0])
    assert customer.locator("#messages .message.staff").count() == replies
    desk.keyboard.press("Control+Enter")
    customer.locator("#messages .message.staff").nth(replies).wait_for(timeout=SOON)
    filled(desk, "")

    # A canned reply by slash, with the keyboard alone.
    desk.keyboard.type("/solv")
    desk.locator("#suggestions [role=option]", has_text="/solved").wait_for(timeout=SOON)
    assert desk.locator("#reply").get_attribute("aria-activedescendant")
    desk.keyboard.press("Enter")
    filled(desk, person["name"].split()[0])
    desk.keyboard.press("Control+Enter")
    customer.locator("#messages .message.staff", has_text="Does this answer").wait_for(timeout=SOON)
    assert "Between us" not in customer.content()

    # Handed back: the assistant answers again.
    desk.locator("summary", has_text="Hand back").click()
    desk.get_by_label("What the assistant should know").fill("They may ask about shipping next.")
    desk.get_by_role("button", name="Hand back to the assistant").click()
    desk.get_by_role("button", name="Take over").wait_for(timeout=SOON)
    customer.locator(".banner.human").wait_for(state="detached", timeout=SOON)
    answers = desk.locator("#said .word.assistant", has_text="12.95")
    before = answers.count()
    assert "12.95" in chat.ask("How much is express shipping?").inner_text()
    answers.nth(before).wait_for(timeout=SOON)


def typing_until(page: Page, notice: Locator) -> None:
    """Type on until the other side sees it: a notice that comes while everything is busy may be dropped."""
    deadline = time.monotonic() + SOON / 1000
    while not notice.is_visible():
        what = "document.activeElement.id + ': ' + document.activeElement.value + ' | ' + document.body.innerText"
        assert time.monotonic() < deadline, f"not seen on the other side: {page.evaluate(what)}"
        page.keyboard.type(".", delay=200)


def filled(page: Page, words: str) -> None:
    """Wait until the reply holds these words, or nothing for ''."""
    value = "document.querySelector('#reply').value"
    check = f"words => words ? {value}.includes(words) : !{value}"
    page.wait_for_function(check, arg=words, timeout=SOON)


def problems_of(page: Page) -> list[str]:
    found = Axe().run(page, context="#pane-thread").response["violations"]
    return [f"{one['id']} {[node['target'] for node in one['nodes']][:3]}" for one in found]
