"""The whole path of a customer in a browser without JavaScript: forms and reloads alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import ANSWER_MS
from tests.stack import Stack

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

pytestmark = [pytest.mark.timeout(240), pytest.mark.deep]
REPLY = """
from tickets.models import Conversation, User
from tickets.services.conversations import conversation_claim
from tickets.services.replies import reply_post
conversation = Conversation.objects.filter(status="waiting", customer__email="{email}").latest("created_at")
person = User.objects.filter(groups__name="agent", staff_profile__team__isnull=False).first()
conversation_claim(conversation_id=conversation.pk, staff=person)
reply_post(conversation_id=conversation.pk, staff=person, text="I have read everything.")
"""


@pytest.fixture
def plain(stack: Stack, browser: BrowserContext) -> Iterator[Page]:
    """A browser in which no script runs."""
    assert browser.browser is not None
    context = browser.browser.new_context(
        base_url=stack.url, locale="en-US", java_script_enabled=False, viewport={"width": 360, "height": 740}
    )
    page = context.new_page()
    page.set_default_timeout(ANSWER_MS)
    page.goto("/")
    yield page
    context.close()


def with_an_order_to_cancel(stack: Stack) -> tuple[dict[str, Any], str]:
    """Someone of the cast and the number of their order; not the one of test_customer_path."""
    for person in reversed(stack.demo()["customers"]):
        for order in person["orders"]:
            if order["status"] in ("pending", "paid"):
                return person, order["order_number"]
    raise AssertionError("nobody in the cast has an order to cancel")


def ask(page: Page, text: str) -> Locator:
    """Send a message and wait, while the page loads itself again, for the answer."""
    answers = page.locator("#messages .message.assistant")
    before = answers.count()
    page.get_by_label("Your message").fill(text)
    page.get_by_role("button", name="Send", exact=True).click()
    answers.nth(before).wait_for()
    page.get_by_text("The answer is being written").wait_for(state="detached")
    return answers.nth(before)


def code_for(page: Page, email: str) -> str:
    """The code in the demo's mailbox, read in another tab."""
    mail = page.context.new_page()
    for _ in range(100):
        mail.goto(f"/demo/mail/?to={email}")
        if found := re.search(r"\b(\d{6})\b", mail.locator("main").inner_text()):
            mail.close()
            return found[1]
        mail.wait_for_timeout(200)
    raise AssertionError("no mail came")


def test_from_a_question_to_a_survey(stack: Stack, plain: Page) -> None:
    page = plain
    person, order_number = with_an_order_to_cancel(stack)
    assert page.get_by_text("needs JavaScript").count() == 0
    page.get_by_role("button", name="What does shipping cost?").click()
    first = page.locator("#messages .message.assistant").first
    first.wait_for()
    source = first.locator(".sources a").first.get_attribute("href") or ""
    assert source.startswith("/help/")

    ask(page, f"Please cancel order {order_number}, I ordered it by mistake")
    ask(page, f"My email is {person['email']}")
    field = page.get_by_role("textbox", name="Six-digit code")
    code = code_for(page, person["email"])
    field.fill("000000" if code != "000000" else "111111")
    page.get_by_role("button", name="Verify").click()
    page.get_by_text("You have 2 more tries.").wait_for()
    field.fill(code)
    page.get_by_role("button", name="Verify").click()
    page.locator('#verification[data-state="verified"]').wait_for()

    ask(page, f"Please cancel order {order_number}, I ordered it by mistake")
    card = page.locator(".card.action").last
    card.get_by_role("button", name="Confirm").click()
    page.locator('.card.action[data-state="done"]').wait_for()
    page.locator('.card.action[data-state="done"]').get_by_role("button", name="Undo").click()
    page.locator('.card.action[data-state="undone"]').wait_for()

    page.get_by_role("button", name="Talk to a person").click()
    page.locator(".banner.waiting").wait_for()
    news = page.frame_locator("iframe.news")
    news.get_by_text("Nothing new yet.").wait_for()
    page.get_by_label("Your message").fill("half a sente")
    stack.manage("shell", "-c", REPLY.format(email=person["email"]))
    link = news.get_by_role("link", name="There is news")
    link.wait_for()
    assert page.get_by_label("Your message").input_value() == "half a sente"
    link.click()
    page.locator("#messages .message.staff", has_text="I have read everything.").wait_for()
    page.locator(".banner.human").wait_for()

    page.get_by_role("button", name="End conversation").click()
    page.locator("#survey label", has_text="5").click()
    page.locator("#survey").get_by_role("button", name="Send").click()
    page.get_by_text("Thank you for your answer").wait_for()
    page.get_by_role("button", name="Start a new one").click()
    page.locator("#empty").wait_for()


def test_what_is_refused_is_said_and_kept(plain: Page) -> None:
    page = plain
    field = page.get_by_label("Your message")
    field.fill("x" * 5001)
    page.get_by_role("button", name="Send", exact=True).click()
    page.locator("#alert", has_text="longer than 5,000").wait_for()
    assert field.input_value() == "x" * 5001
    field.fill("Do gift cards expire?")
    page.get_by_role("button", name="Send", exact=True).dblclick()
    page.locator("#messages .message.assistant").first.wait_for()
    assert page.get_by_text("Do gift cards expire?", exact=True).count() == 1
