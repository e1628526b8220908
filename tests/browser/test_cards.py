"""Cards by keyboard alone: found, offered, run out, offered again, confirmed, printed, undone; a code; a thumb."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.conftest import ANSWER_MS, Chat
from tests.stack import Stack

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.timeout(240), pytest.mark.deep]
SMALL = """() => [...document.querySelectorAll('#messages :is(button, a, summary, input)')].filter((one) => {
  if (one.closest('p, .prose') || !one.checkVisibility()) return false;
  const { width, height } = (one.closest('label') || one).getBoundingClientRect();
  return width < 24 || height < 24;
}).map((one) => one.outerHTML.slice(0, 120))"""
RUN_OUT = """
from django.utils import timezone
from tickets.models import Action
Action.objects.filter(state="proposed").update(expires_at=timezone.now())
"""
IS_ANOTHER = """old => {
  const card = document.activeElement.closest(".card");
  return card?.dataset.state === "proposed" && card.id !== old;
}"""


def reach(page: Page, target: Locator) -> None:
    """Go there by Tab, backwards, from where the writing is."""
    for _ in range(60):
        if target.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press("Shift+Tab")
    raise AssertionError("the keyboard does not get there")


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.closest('[id]')?.id"))


def cast_with(stack: Stack, *statuses: str) -> tuple[str, str]:
    """Someone of the cast with an order of such a status: (name, order number)."""
    for person in stack.demo()["customers"]:
        for order in person["orders"]:
            if order["status"] in statuses:
                return person["name"], order["order_number"]
    raise AssertionError(f"nobody has an order that is {statuses}")


def begin_afresh(chat: Chat) -> None:
    """Whatever this customer's conversation showed already: the product is shared with other tests."""
    chat.connected()
    if chat.page.locator("#messages > *").count():
        chat.page.get_by_role("button", name="End conversation").click()
        chat.page.get_by_role("button", name="Start a new one").click(timeout=ANSWER_MS)
        chat.page.locator("#empty").wait_for()


def test_a_refund_by_keyboard_from_its_parcel_to_its_receipt(stack: Stack, chat: Chat) -> None:
    name, order_number = cast_with(stack, "shipped")
    page = chat.page
    page.clock.install()
    chat.sign_in(name)
    begin_afresh(chat)
    answer = chat.ask(f"Where is my order {order_number}?")
    way = answer.get_by_role("list", name="The way of the parcel").last
    assert way.locator('[aria-current="step"]').count() == 1
    assert way.get_by_role("listitem").count() >= 2

    chat.ask(f"Please refund 15.00 of order {order_number} because it is late")
    old = page.locator('.card.action[data-state="proposed"]')
    old_id = old.get_attribute("id")
    assert "$15.00" in old.inner_text()
    page.clock.fast_forward("28:30")
    chat.connected()
    old.get_by_text("2 minutes left to decide").wait_for()
    assert "2 minutes left to decide" in page.locator("#announcer").inner_text()
    confirm = old.get_by_role("button", name=re.compile(r"^Confirm: Refund \$15\.00"))
    page.get_by_label("Your message").focus()
    reach(page, confirm)
    page.clock.fast_forward("02:00")
    old.get_by_text("The time to decide is over").wait_for()
    again = old.get_by_role("button", name=re.compile("^Offer it again: Refund"))
    assert not confirm.is_visible()
    assert again.evaluate("one => one === document.activeElement")  # it stands where the focus was

    stack.manage("shell", "-v0", "-c", RUN_OUT)
    chat.connected()
    page.keyboard.press("Enter")
    new = page.locator('.card.action[data-state="proposed"]')
    page.wait_for_function(IS_ANOTHER, arg=old_id, timeout=ANSWER_MS)
    assert page.locator(f"#{old_id}").get_by_text("offered again further down").is_visible()
    page.reload()  # back to the right time
    chat.connected()
    page.get_by_label("Your message").focus()
    reach(page, new.get_by_role("button", name=re.compile("^Confirm: ")))
    new_id = new.get_attribute("id")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    done = page.locator(f'#{new_id}[data-state="done"]')
    done.wait_for(timeout=ANSWER_MS)
    assert focused(page) == new_id
    assert re.search(rf"{order_number}-R\d", done.inner_text())
    assert not done.locator(".error").inner_text()
    assert not page.evaluate(SMALL)
    found = Axe().run(page).response["violations"]
    assert not [(one["id"], [node["target"] for node in one["nodes"]]) for one in found]


def test_a_code_by_keyboard_pasted_late_and_sent_again(stack: Stack, chat: Chat) -> None:
    person = stack.demo()["customers"][0]
    page = chat.page
    page.clock.install()
    chat.open()
    chat.ask(f"Where is my order {person['orders'][0]['order_number']}?")
    chat.ask(f"My email is {person['email']}")
    card = page.locator("#verification")
    page.clock.fast_forward("08:30")
    chat.connected()
    card.get_by_text("The code works for 2 minutes more").wait_for()
    page.clock.fast_forward("02:00")
    chat.connected()
    card.get_by_text("The code is no longer valid").wait_for()
    code = page.get_by_role("textbox", name="Six-digit code")
    assert not code.is_visible()
    page.clock.set_system_time(datetime.now(UTC))  # else the new code would be over, too
    stale = card.get_attribute("data-expires")
    page.get_by_label("Your message").focus()
    reach(page, card.get_by_role("button", name="Send a new code to"))
    page.keyboard.press("Enter")
    page.wait_for_function(
        "(stale) => document.getElementById('verification').dataset.expires !== stale", arg=stale, timeout=ANSWER_MS
    )
    page.wait_for_function("() => document.activeElement.id === 'code'")

    mail = page.context.new_page()
    codes: list[str] = []
    for _ in range(60):
        mail.goto(f"/demo/mail/?to={person['email']}")
        codes = re.findall(r"\b(\d{6}) is your", mail.locator("main").inner_text())
        if len(codes) > 1:
            break
        mail.wait_for_timeout(200)
    page.evaluate(
        """text => { const data = new DataTransfer(); data.setData('text/plain', text);
        document.getElementById('code').dispatchEvent(new ClipboardEvent('paste',
        { clipboardData: data, bubbles: true, cancelable: true })); }""",
        f"Your code: {codes[0][:3]}-{codes[0][3:]}.",
    )
    code = page.locator("#code")
    assert code.input_value() == codes[0]


def test_an_article_a_thumb_and_a_rating(chat: Chat) -> None:
    page = chat.page
    chat.open()
    answer = chat.ask("How much is express shipping?")
    assert answer.locator(".card.article h2 a").get_attribute("href").startswith("/help/")  # type: ignore[union-attr]
    down = answer.get_by_role("button", name="This did not help")
    page.get_by_label("Your message").focus()
    reach(page, down)
    page.keyboard.press("Enter")
    answer.get_by_text("What was wrong with it?").wait_for(timeout=ANSWER_MS)
    assert down.get_attribute("aria-pressed") == "true"
    assert down.evaluate("one => one === document.activeElement")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("Too dear")
    page.keyboard.press("Enter")
    answer.get_by_text("Thank you").wait_for(timeout=ANSWER_MS)
    page.reload()
    answer = chat.answers.first
    assert answer.get_by_role("button", name="This did not help").get_attribute("aria-pressed") == "true"

    page.get_by_role("button", name="End conversation").click()
    survey = page.locator("#survey")
    survey.wait_for(timeout=ANSWER_MS)
    page.get_by_label("Your message").focus()
    reach(page, survey.get_by_role("button", name="No, thanks"))
    reach(page, survey.get_by_role("button", name="Send"))
    reach(page, survey.get_by_label("Anything to add?"))
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowLeft")
    assert survey.locator("input:checked").count() == 1
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Thank you for your answer").wait_for(timeout=ANSWER_MS)
    page.reload()
    page.get_by_text("Thank you for your answer").wait_for()
    assert page.get_by_role("radio").count() == 0
