"""The whole path without a mouse: a customer from the first question to the end, and the person who helps them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import ANSWER_MS, Chat
from tests.browser.looking import focus_of, script
from tests.browser.test_customer_path import paid_order
from tests.stack import Stack

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

pytestmark = [pytest.mark.timeout(300), pytest.mark.deep]
MOST_STOPS = 80
UNASKED = "from tickets.models import Survey; Survey.objects.all().delete()"  # nobody is asked twice in a week


class Keys:
    """Hands on a keyboard: what is not reached by Tab is not reached."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def reach(self, words: str, *, back: bool = False) -> dict[str, Any]:
        """Tab until the focus is on what is called so; it must be seen there."""
        seen = []
        for _ in range(MOST_STOPS):
            here = focus_of(self.page)
            if here and re.search(words, here["name"]):
                assert here["ring"], f"nothing shows the focus on {here['name']}"
                assert here["inSight"], f"{here['name']} is under {here['over']}"
                return here
            seen.append(here["name"] if here else "nothing")
            self.page.keyboard.press("Shift+Tab" if back else "Tab")
        raise AssertionError(f"{words} is not reached: {seen}")

    def press(self, words: str, *, back: bool = False, key: str = "Enter") -> None:
        self.reach(words, back=back)
        self.page.keyboard.press(key)

    def type(self, words: str) -> None:
        self.page.keyboard.type(words)

    def has(self, locator: Locator, state: Any = "visible") -> None:
        locator.first.wait_for(state=state, timeout=ANSWER_MS)


def ask(chat: Chat, keys: Keys, words: str) -> Locator:
    """Write into the composer, which is reached from wherever the focus is, and wait for the whole answer."""
    before = chat.answers.count()
    keys.reach("textarea#text")
    keys.type(words)
    chat.page.keyboard.press("Enter")
    keys.has(chat.answers.nth(before))
    chat.page.locator("#activity:empty").wait_for(state="attached", timeout=ANSWER_MS)
    return chat.answers.nth(before)


def code_for(context: BrowserContext, email: str) -> str:
    """The code in the demo's mailbox, as the customer's mail program would show it."""
    mail = context.new_page()
    for _ in range(60):
        mail.goto(f"/demo/mail/?to={email}")
        if found := re.search(r"\b(\d{6})\b", mail.locator("main").inner_text()):
            mail.close()
            return found[1]
        mail.wait_for_timeout(500)
    raise AssertionError("no code came")


def test_the_whole_path_by_keyboard_alone(stack: Stack, chat: Chat) -> None:
    name, order_number = paid_order(stack)
    email = next(one["email"] for one in stack.demo()["customers"] if one["name"] == name)
    page, keys = chat.page, Keys(chat.page)
    stack.manage("shell", "-v0", "-c", UNASKED)
    page.context.add_init_script(script())
    chat.open()

    # Past the header by the skip link; an opener asks, and writing goes on where one was.
    keys.press("Skip to content")
    keys.press("What does shipping cost")
    keys.has(chat.answers)
    page.locator("#activity:empty").wait_for(state="attached", timeout=ANSWER_MS)
    page.wait_for_function("() => document.activeElement.id === 'text'")

    # To a source and back.
    keys.press("a.chip", back=True)
    page.wait_for_url("**/help/**")
    keys.press("Skip to content")
    keys.press('"Chat"', back=True)
    page.wait_for_url(f"{stack.url}/")
    keys.has(chat.answers)
    chat.connected()

    # Who writes is proven by a code.
    ask(chat, keys, f"Where is my order {order_number}?")
    ask(chat, keys, f"My email is {email}")
    keys.has(page.locator("#verification[data-state='requested']"))
    code = code_for(page.context, email)
    keys.reach("input#code", back=True)
    keys.type(code)
    page.keyboard.press("Enter")
    keys.has(page.locator("#verification[data-state='verified']"))

    # An action: proposed, confirmed, and taken back.
    ask(chat, keys, f"Please cancel order {order_number}, I ordered it by mistake")
    card = page.locator(".card.action").last
    keys.press('"Confirm: ', back=True)
    keys.has(page.locator('.card.action[data-state="done"]'))
    assert "cancelled" in card.inner_text()
    assert "action" in str(page.evaluate("document.activeElement.closest('.card')?.className")), "the place is lost"
    keys.press('"Undo: ')
    keys.has(page.locator('.card.action[data-state="undone"]'))

    # A person.
    keys.press("Talk to a person", back=True)
    keys.has(page.locator(".banner.waiting"))
    assert focus_of(page), "the focus is lost with the button that is gone"
    conversation = page.locator("#chat").get_attribute("data-conversation")
    staff_helps(stack, chat, str(conversation))

    # The end, and how it was.
    keys.has(page.locator(".banner.human"), "detached")
    keys.press("End conversation")
    keys.has(page.locator("#survey form"))
    keys.reach('input "', back=True)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    keys.press('"Send"')
    keys.has(page.get_by_text("Thank you for your answer"))


def staff_helps(stack: Stack, chat: Chat, conversation: str) -> None:
    """Sign in, find them by j and k, take over, answer three ways, hand back."""
    engine, customer = chat.page.context.browser, chat.page
    assert engine
    context = engine.new_context(base_url=stack.url, locale="en-US", viewport={"width": 1440, "height": 900})
    context.add_init_script(script())
    desk = context.new_page()
    keys = Keys(desk)
    agent = next(one for one in stack.demo()["staff"] if one["role"] == "agent")
    desk.goto("/admin/login/?next=/admin/inbox/")
    keys.reach("input#id_username")
    keys.type(agent["username"])
    keys.reach("input#id_password")
    keys.type(agent["password"])
    desk.keyboard.press("Enter")
    desk.wait_for_selector("#inbox.is-online", timeout=ANSWER_MS)
    desk.locator(f"#row-{conversation}").wait_for(timeout=ANSWER_MS)
    for _ in range(MOST_STOPS):
        desk.keyboard.press("j")
        if desk.evaluate("document.activeElement.id") == f"open-{conversation}":
            break
    desk.keyboard.press("k")
    if desk.evaluate("document.activeElement.id") != f"open-{conversation}":  # there is one above it
        desk.keyboard.press("j")
    desk.keyboard.press("Enter")
    desk.wait_for_selector("#claim", timeout=ANSWER_MS)
    assert conversation in desk.url
    desk.keyboard.press("r")
    keys.press("Take over")
    keys.has(customer.locator(".banner.human"))
    desk.wait_for_selector("#reply", timeout=ANSWER_MS)
    assert focus_of(desk), "the focus is lost with the button that is gone"

    desk.locator("#thread-scroll").wait_for()
    keys.reach("textarea#reply")
    keys.type("I look into it.")
    desk.keyboard.press("Control+Enter")
    keys.has(customer.locator("#messages .message.staff", has_text="I look into it."))
    desk.keyboard.press("Escape")
    desk.keyboard.press("n")
    desk.wait_for_function("() => document.activeElement.id === 'note'")
    keys.type("Keyboard only.")
    desk.keyboard.press("Control+Enter")
    keys.has(desk.locator("#said .word.note", has_text="Keyboard only."))
    desk.keyboard.press("Escape")
    desk.keyboard.press("r")
    desk.wait_for_function("() => document.activeElement.id === 'reply'")
    keys.type("/solv")
    keys.has(desk.locator("#suggestions [role=option]", has_text="/solved"))
    desk.keyboard.press("Enter")
    desk.wait_for_function("() => document.getElementById('reply').value.length > 10", timeout=ANSWER_MS)
    desk.keyboard.press("Control+Enter")
    keys.has(customer.locator("#messages .message.staff", has_text="Does this answer"))

    # A menu opens and closes by keyboard, and gives the focus back.
    keys.press('summary.button "Hand back"', back=True)
    desk.keyboard.press("Escape")
    assert "Hand back" in str((focus_of(desk) or {})["name"])
    assert desk.locator("details.menu[open]").count() == 0
    desk.keyboard.press("Enter")
    keys.reach("textarea#instruction")
    keys.type("Nothing is open.")
    keys.press("Hand back to the assistant")
    desk.wait_for_selector("#claim", timeout=ANSWER_MS)
    context.close()
