"""The one polite live region: what it says, in which order, and each thing once, whatever is reloaded or replayed."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.browser.conftest import ANSWER_MS, Chat
from tests.browser.test_cards import begin_afresh, cast_with
from tests.stack import Stack

pytestmark = [pytest.mark.timeout(240), pytest.mark.deep]
LISTEN = """() => {
  window.said = [];
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) for (const node of addedNodes) window.said.push(node.textContent);
  }).observe(document.getElementById("announcer"), { childList: true, subtree: true, characterData: true });
}"""
STAFF = """
from tickets.models import *
from tickets.services.conversations import conversation_claim, conversation_hand_back
from tickets.services.messages import message_staff
staff = User.objects.filter(groups__name="agent", staff_profile__team__isnull=False).order_by("username").first()
it = Conversation.objects.order_by("-last_message_at").first()
it = conversation_claim(conversation_id=it.pk, staff=staff)
message_staff(conversation=it, staff=staff, text="Hello, **one** moment & I look.")
conversation_hand_back(conversation=it, staff=staff)
"""
QUEUE = """async ([text, later]) => {
  const { now } = Date, timers = [], { setTimeout } = window;
  Date.now = () => now() + later;
  window.setTimeout = (work, ms) => { timers.push(Math.round(ms / 1000)); return 0; };
  const line = document.createElement("p");
  line.dataset.queue = "";
  line.textContent = text;
  document.getElementById("spoken").append(line);
  await Promise.resolve();
  Date.now = now;
  window.setTimeout = setTimeout;
  return timers;
}"""


def said(chat: Chat, last: str) -> list[str]:
    """All that was said, once this was said."""
    chat.page.wait_for_function(
        "last => window.said.some((line) => new RegExp(last).test(line))", arg=last, timeout=ANSWER_MS
    )
    lines: list[str] = chat.page.evaluate("window.said")
    return lines


def matches(lines: list[str], patterns: list[str]) -> None:
    assert len(lines) == len(patterns), "\n".join(lines)
    for line, pattern in zip(lines, patterns, strict=True):
        assert re.search(pattern, line), f"{line!r} is not {pattern!r}; all of it:\n" + "\n".join(lines)


def test_what_is_said_and_in_which_order(stack: Stack, chat: Chat) -> None:
    name, order_number = cast_with(stack, "shipped")
    page = chat.page
    chat.sign_in(name)
    begin_afresh(chat)
    page.evaluate(LISTEN)
    parcels = chat.ask(f"Where is my order {order_number}?").locator(".card.shipment").count()
    assert parcels
    chat.ask(f"Please refund 12.00 of order {order_number} because it is late")
    page.get_by_role("button", name="Decline").last.click()
    expected = [
        rf"^Assistant: Order {order_number}",
        *[r"^Parcel \w+, [a-z ]+$"] * parcels,
        rf"^Your confirmation is needed: Refund \$12\.00 of order {order_number}$",
        r"^Assistant: I have prepared this",
        rf"^Declined: Refund \$12\.00 of order {order_number}$",
    ]
    matches(said(chat, "^Declined"), expected)
    assert not any("Where is my order" in line or "Please refund" in line for line in page.evaluate("window.said"))

    page.context.set_offline(True)
    said(chat, "You are offline")
    page.context.set_offline(False)
    expected += [r"^You are offline", r"^Connected again\.$"]
    matches(said(chat, "^Connected again"), expected)

    page.get_by_role("button", name="Talk to a person").click()
    kinds = ("Alder & Pine: ", "Promised: ", "You are number ")  # the place comes beside the events, at any point
    for kind in kinds:
        said(chat, f"^{kind}")
    waiting = page.evaluate("window.said")[len(expected) :]
    assert sorted(next(kind for kind in kinds if line.startswith(kind)) for line in waiting) == sorted(kinds)
    expected += [re.escape(line) for line in waiting]
    stack.manage("shell", "-v0", "-c", STAFF)
    after = said(chat, "The assistant answers again")[len(expected) :]
    matches(
        after,
        [
            r"^[\w. ]+ from [\w ]+ joined the conversation\.$",
            r": Hello, one moment & I look\.$",
            "^No longer needed: ",
            "^The assistant answers",
        ],
    )
    assert after[0].partition(" from ")[0] == after[1].partition(":")[0]

    page.reload()
    chat.connected()
    page.evaluate(LISTEN)
    chat.ask("Thank you")
    assert [line.partition(":")[0] for line in said(chat, "^Assistant")] == ["Assistant"]


def test_the_line_is_told_of_once_a_minute_at_most(chat: Chat) -> None:
    page = chat.page
    chat.open()
    page.evaluate(LISTEN)

    def told(text: str, later: int) -> Any:
        return page.evaluate(QUEUE, [text, later * 1000])

    assert told("You are number 4.", 0) == []
    assert told("You are number 4.", 20) == []
    assert told("You are number 3.", 20) == [40]
    assert told("You are number 2.", 50) == [10]
    assert told("You are number 1.", 61) == []
    assert page.evaluate("window.said") == ["You are number 4.", "You are number 1."]


def test_a_replay_is_not_said_again(chat: Chat) -> None:
    page = chat.page
    chat.open()
    chat.ask("How much is express shipping?")
    page.evaluate(LISTEN)
    page.evaluate(
        """() => { for (const seq of [2, 99, 99, 98]) {
        const line = document.createElement('p'); line.dataset.seq = seq; line.textContent = `Line ${seq}`;
        document.getElementById('spoken').append(line); } }"""
    )
    assert said(chat, "Line 99") == ["Line 99", "Line 99", "Line 98"]  # of one batch: several lines of an event
    page.evaluate(
        """() => { const line = document.createElement('p'); line.dataset.seq = 99; line.textContent = 'Again';
        document.getElementById('spoken').append(line); }"""
    )
    assert len(page.evaluate("window.said")) == 3
