"""The whole path of a customer, in a browser: a policy with its source, an order, a cancellation with its receipt."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import Chat
from tests.stack import Stack

pytestmark = pytest.mark.timeout(180)


def paid_order(stack: Stack) -> tuple[str, str]:
    """Someone of the cast with an order that can still be cancelled: (name, order number)."""
    for person in stack.demo()["customers"]:
        for order in person["orders"]:
            if order["status"] in ("pending", "paid"):
                return person["name"], order["order_number"]
    raise AssertionError("nobody in the cast has an order to cancel")


def test_from_a_question_to_a_receipt(stack: Stack, chat: Chat) -> None:
    name, order_number = paid_order(stack)
    page = chat.page
    chat.open()
    page.get_by_text("An AI assistant answers").wait_for()
    page.get_by_text("demo model").first.wait_for()

    answer = chat.ask("How much is express shipping?")
    chip = answer.locator(".sources a").first
    assert "12.95" in answer.inner_text()
    source = chip.get_attribute("href") or ""
    assert source.startswith("/help/")
    page.goto(source)
    assert "12.95" in page.locator("main").inner_text()
    page.go_back()
    chat.answers.first.wait_for()  # the history is there again

    answer = chat.ask(f"Where is my order {order_number}?")
    assert "email" in answer.inner_text().lower().replace("-", "")

    chat.sign_in(name)
    chat.connected()
    assert order_number in chat.ask(f"Where is my order {order_number}?").inner_text()

    chat.ask(f"Please cancel order {order_number}, I ordered it by mistake")
    card = page.locator(".card.action").last
    assert order_number in card.inner_text()
    card.get_by_role("button", name="Confirm").click()
    page.locator('.card.action[data-state="done"]').wait_for()
    assert "cancelled" in card.inner_text()
    page.reload()
    card = page.locator('.card.action[data-state="done"]')
    card.get_by_role("button", name="Undo").click()
    page.locator('.card.action[data-state="undone"]').wait_for()


def test_a_stranger_learns_nothing_about_orders(stack: Stack, chat: Chat) -> None:
    _, real = paid_order(stack)
    chat.open()
    words = [chat.ask(f"Where is my order {number}?").locator(".prose").inner_text() for number in (real, "AP-999999")]
    assert words[0] == words[1].replace("AP-999999", real)


def test_a_person_is_one_click_away_and_the_end_asks_how_it_was(chat: Chat) -> None:
    page = chat.page
    chat.open()
    page.get_by_role("button", name="Talk to a person").click()
    page.locator(".banner.waiting").wait_for()
    assert re.search(r"number \d+", page.locator(".banner").inner_text())
    page.locator("#messages .message.system").first.wait_for()
    page.get_by_label("Leaving? Where may we answer?").fill("me@example.com")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("we write to me@example.com").wait_for()
    page.get_by_role("button", name="End conversation").click()
    page.locator(".banner.closed").wait_for()
    page.locator("#survey label", has_text="5").click()
    page.locator("#survey").get_by_role("button", name="Send").click()
    page.get_by_text("Thank you for your answer").wait_for()
    page.get_by_role("button", name="Start a new one").click()
    page.locator("#empty").wait_for()


def test_a_code_from_the_mailbox_proves_who_writes(stack: Stack, chat: Chat) -> None:
    person = stack.demo()["customers"][0]
    page = chat.page
    chat.open()
    chat.ask(f"Where is my order {person['orders'][0]['order_number']}?")
    chat.ask(f"My email is {person['email']}")
    page.locator("#verification").wait_for()
    mail = page.context.new_page()
    for _ in range(50):
        mail.goto(f"/demo/mail/?to={person['email']}")
        if found := re.search(r"\b(\d{6})\b", mail.locator("main").inner_text()):
            break
        mail.wait_for_timeout(200)
    assert found is not None
    field = page.get_by_role("textbox", name="Six-digit code")
    assert field.get_attribute("autocomplete") == "one-time-code"
    field.fill(found[1])
    page.keyboard.press("Enter")
    page.locator('#verification[data-state="verified"]').wait_for()
