"""With the keyboard alone, with a screen reader, and on a small phone with its keyboard open."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.conftest import ANSWER_MS, Chat

pytestmark = pytest.mark.timeout(120)


def focused(chat: Chat) -> str:
    return str(chat.page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))


def test_the_keyboard_reaches_everything(chat: Chat) -> None:
    page = chat.page
    chat.open()
    page.keyboard.press("Tab")
    assert focused(chat) == "Skip to content"
    reached = []
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.append(focused(chat))
        if reached[-1] == "text":
            break
    for wanted in ("Help centre", "Sign in", "Privacy", "Talk to a person", "Where is my order?", "text"):
        assert wanted in reached
    page.keyboard.type("What does shipping cost?")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("To Portland.")
    page.keyboard.press("Enter")
    chat.answers.first.wait_for(timeout=ANSWER_MS)
    assert "What does shipping cost?\nTo Portland." in chat.own.first.inner_text()
    assert focused(chat) == "text"


def test_the_finished_message_is_announced_with_its_author(chat: Chat) -> None:
    page = chat.page
    chat.open()
    log = page.get_by_role("log", name="Conversation")
    assert log.get_attribute("aria-live") == "off"
    page.evaluate("""() => {
        window.said = [];
        new MutationObserver(() => window.said.push(document.getElementById("announcer").textContent))
            .observe(document.getElementById("announcer"), {childList: true, characterData: true, subtree: true});
    }""")
    answer = chat.ask("How long does standard shipping take?")
    said = page.evaluate("window.said.filter(Boolean)")
    assert len(said) == 1
    assert said[0].startswith("Assistant: ")
    assert answer.locator(".prose").inner_text().split()[0] in said[0]


@pytest.mark.parametrize("height", [400, 740])
def test_on_a_small_phone_the_notice_and_a_person_stay_in_sight(sized: Callable[[int, int], Chat], height: int) -> None:
    chat = sized(360, height)
    page = chat.page
    chat.open()
    for question in ("", "How much is express shipping?"):
        if question:
            chat.ask(question)
        for found in (
            page.get_by_text("An AI assistant answers"),
            page.get_by_role("button", name="Talk to a person"),
            page.get_by_role("link", name="Privacy"),
            page.get_by_label("Your message"),
        ):
            box = found.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 360
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= height
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.evaluate("document.scrollingElement.scrollHeight") <= height
    scroller = page.locator("#scroll").bounding_box()
    assert scroller is not None
    assert scroller["height"] >= height - 220


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (360, "dark"), (1440, "light"), (1440, "dark")])
def test_targets_and_type_are_large_enough(sized: Callable[[int, int], Chat], width: int, scheme: str) -> None:
    chat = sized(width, 800)
    page = chat.page
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    chat.open()
    chat.ask("How much is express shipping?")
    small = page.evaluate("""() => [...document.querySelectorAll("button, input, textarea, .chip, .site-nav a")]
        .filter((one) => one.getClientRects().length && one.type !== "hidden")
        .map((one) => [one.id || one.textContent.trim() || one.ariaLabel, one.getBoundingClientRect()])
        .filter(([, box]) => box.width && (box.width < 24 || box.height < 24)).map(([name]) => name)""")
    assert small == []
    assert page.evaluate("parseFloat(getComputedStyle(document.getElementById('text')).fontSize)") >= 16
