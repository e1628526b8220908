"""A lost network: what is typed is kept, sent when it is back, and arrives once."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Chat

pytestmark = pytest.mark.timeout(120)


def test_a_message_typed_offline_arrives_once(chat: Chat) -> None:
    page = chat.page
    chat.open()
    chat.ask("Hello")
    page.context.set_offline(True)
    page.locator("#connection").get_by_text("You are offline.").wait_for()
    chat.write("Do gift cards expire?")
    page.get_by_text("Waiting for the connection").wait_for()
    assert chat.own.count() == 1
    before = chat.answers.count()
    page.context.set_offline(False)
    chat.own.nth(1).wait_for(timeout=15_000)
    chat.answers.nth(before).wait_for(timeout=20_000)
    page.reload()
    assert page.get_by_text("Do gift cards expire?", exact=True).count() == 1
    assert page.locator("#outbox > *").count() == 0


def test_the_first_message_of_all_may_be_typed_offline(chat: Chat) -> None:
    page = chat.page
    chat.open()
    page.context.set_offline(True)
    chat.write("Do you ship to Canada?")
    page.get_by_text("Waiting for the connection").wait_for()
    page.context.set_offline(False)
    chat.answers.first.wait_for(timeout=20_000)
    assert page.get_by_text("Do you ship to Canada?", exact=True).count() == 1


def test_what_waits_survives_a_reload_and_a_second_tab(chat: Chat) -> None:
    page = chat.page
    chat.open()
    chat.ask("Hello")
    page.evaluate("""() => Outbox.add("How do returns work?", document.getElementById("chat").dataset.conversation)""")
    second = page.context.new_page()
    second.goto("/")
    page.reload()
    for tab in (page, second):
        tab.locator("#messages .message.customer", has_text="How do returns work?").wait_for()
    page.reload()
    assert page.get_by_text("How do returns work?", exact=True).count() == 1


def test_what_happened_meanwhile_is_caught_up_in_order(chat: Chat) -> None:
    page = chat.page
    chat.open()
    chat.ask("Hello")
    other = page.context.new_page()
    other.goto("/")
    page.context.set_offline(True)  # both tabs
    page.locator("#connection").get_by_text("You are offline.").wait_for()
    page.context.set_offline(False)
    Chat(other).connected()
    Chat(other).ask("What does the Plus plan cost?")
    chat.answers.nth(1).wait_for(timeout=15_000)
    texts = [tab.locator("#messages .message").all_inner_texts() for tab in (page, other)]
    assert texts[0] == texts[1]
