"""From waiting to an answer by e-mail and back: a customer who left comes in again by the link, once."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.browser.conftest import Chat
from tests.stack import Stack

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

pytestmark = pytest.mark.timeout(180)
ANSWER = """
from datetime import timedelta
from django.utils import timezone
from tickets.models import Conversation, Message, User
from tickets.services.conversations import conversation_claim
from tickets.services.replies import reply_post
conversation = Conversation.objects.get(pk="{id}")
person = User.objects.filter(groups__name="agent", staff_profile__team__isnull=False).first()
conversation_claim(conversation_id=conversation.pk, staff=person)
message = reply_post(conversation_id=conversation.pk, staff=person, text="The poles are on their way.")
Message.objects.filter(pk=message.pk).update(created_at=timezone.now() - timedelta(minutes=3))
"""


@pytest.fixture
def others(stack: Stack, browser: BrowserContext) -> Callable[[], Page]:
    """Makes pages of other browsers: nothing of the first is known in them."""

    def make() -> Page:
        assert browser.browser is not None
        return browser.browser.new_context(base_url=stack.url, locale="en-US").new_page()

    return make


def mail_to(page: Page, address: str) -> str:
    """The way back in the mail to an address, once it has come (the job looks every 30 seconds)."""
    for _ in range(90):
        page.goto(f"/demo/mail/?to={address}")
        words = page.locator("main").inner_text()
        if found := re.search(r"http\S+(/chat/back/\?token=\w+)", words):
            assert "The poles are on their way." in words
            return found[1]
        page.wait_for_timeout(1000)
    raise AssertionError("no mail came")


def test_waiting_leaving_and_coming_back(stack: Stack, chat: Chat, others: Callable[[], Page]) -> None:
    page, later, address = chat.page, others(), f"{uuid4().hex[:8]}@example.com"
    chat.open()
    page.get_by_role("button", name="Talk to a person").click()
    card = page.locator('.card.promise[data-state="open"]')
    card.get_by_text("A person from our team answers you here.").wait_for()
    assert re.search(r"By \w+day, \w+ \d+", card.inner_text()), "the day in words"
    card.get_by_label("Leaving? Where may we answer?").fill(address)
    card.get_by_role("button", name="Save").click()
    card.get_by_text(f"we write to {address}").wait_for()
    conversation = page.locator("#chat").get_attribute("data-conversation")
    page.goto("/help/")  # gone: nobody looks at the chat

    stack.manage("shell", "-c", ANSWER.format(id=conversation))
    link = mail_to(later, address)
    later.goto(link)
    assert "The poles" not in later.locator("main").inner_text()
    later.get_by_role("button", name="Continue").click()
    later.wait_for_url("**/")
    later.get_by_text("The poles are on their way.").wait_for()
    later.locator('.card.promise[data-state="kept"]').wait_for()
    later.locator("#connection:empty").wait_for(state="attached")
    later.get_by_label("Your message").fill("Thank you!")
    later.keyboard.press("Enter")
    later.locator("#messages .message.customer", has_text="Thank you!").wait_for()

    fresh = others()
    fresh.goto(link)
    fresh.get_by_text("This link was used already").wait_for()
    fresh.get_by_role("button", name="Send me a new link").click()
    fresh.get_by_text("A new link is on its way").wait_for()
    assert address not in fresh.content()
