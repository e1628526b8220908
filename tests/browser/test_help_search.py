"""Search as you type by the keyboard alone, and an article's feedback in place; axe looks at every state."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Chat
from tests.browser.test_accessibility import problems

pytestmark = [pytest.mark.timeout(180), pytest.mark.deep]
SOON = 20_000


@pytest.mark.parametrize(("width", "dark"), [(360, True), (1440, False)])
def test_from_half_a_word_to_the_chat(sized: Callable[[int, int], Chat], width: int, dark: bool) -> None:
    page = sized(width, 800).page
    page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
    expect.set_options(timeout=SOON)
    page.goto("/help/")
    found = problems(page, "home")
    field, options = page.get_by_role("combobox"), page.get_by_role("option")
    field.focus()

    # Suggestions while typing; the number is told, Escape closes them first and empties the field next.
    page.keyboard.type("retu")
    expect(options.first).to_contain_text("Return an item")
    expect(page.locator("#suggest-said")).to_contain_text("suggestions")
    expect(field).to_have_attribute("aria-expanded", "true")
    found += problems(page, "suggestions")
    page.keyboard.press("Escape")
    expect(field).to_have_attribute("aria-expanded", "false")
    expect(field).to_have_value("retu")
    page.keyboard.press("Escape")
    expect(field).to_have_value("")

    # Nothing found leads to the chat.
    page.keyboard.type("qwrtz blub")
    expect(options).to_have_count(1)
    expect(options).to_contain_text("Ask the assistant")
    found += problems(page, "no suggestion")

    # Arrows go round through the field; Enter opens what is chosen.
    field.fill("")
    page.keyboard.type("boot siz")
    expect(options.first).to_contain_text("Boot sizes and fit")
    page.keyboard.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[aria-selected=true]")).to_have_count(0)
    page.keyboard.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", "suggest-1")
    page.keyboard.press("Enter")
    page.wait_for_url("**/help/boot-sizes/**")

    # Not helpful: the reason is asked for where the focus goes.
    no = page.get_by_role("button", name="No", exact=True)
    no.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("What was missing or unclear?")).to_be_focused()
    found += problems(page, "article")
    page.keyboard.type("How wide are they?")
    page.get_by_role("button", name="Send").press("Enter")
    expect(page.locator("#feedback .said")).to_contain_text("We read what you wrote")
    page.reload()
    expect(no).to_have_attribute("aria-pressed", "true")

    # The article's name waits in the composer, ready to be completed.
    page.get_by_role("link", name="Ask about this article").press("Enter")
    text = page.get_by_label("Your message")
    expect(text).to_be_focused()
    page.keyboard.type("is there a wide one?")
    expect(text).to_have_value("I have a question about “Boot sizes and fit”: is there a wide one?")
    assert "ask=" not in page.url

    for path in ("/help/category/product/", "/help/?q=return+tent", "/help/?q=qwrtz+blub"):
        page.goto(path)
        found += problems(page, path)
    assert not found, "\n".join(found)


def test_an_older_answer_never_replaces_a_newer_one(chat: Chat) -> None:
    """The first answer is held back until the second one is shown."""
    page = chat.page
    expect.set_options(timeout=SOON)
    page.goto("/help/")
    held = []
    page.route("**/help/suggest/?q=gift", lambda route: held.append(route))
    field, options = page.get_by_role("combobox"), page.get_by_role("option")
    field.focus()
    with page.expect_request("**/help/suggest/?q=gift"):
        page.keyboard.type("gift")
    field.fill("boots")
    expect(options.first).to_contain_text("oot")
    for route in held:
        route.fulfill(body='<a role="option" id="late" href="/">Late</a>', content_type="text/html")
    field.press("ArrowDown")
    expect(page.locator("#late")).to_have_count(0)
    expect(options.first).to_contain_text("oot")
