"""The product in German and Arabic, in a real browser: chosen, answered, searched, mirrored, whole at every width."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import ANSWER_MS
from tests.browser.test_accessibility import problems
from tests.stack import Stack

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

pytestmark = [pytest.mark.timeout(240), pytest.mark.deep]
PATHS = ("/", "/help/", "/help/return-an-item/", "/help/warranty/", "/account/login/", "/message/", "/privacy/")


@pytest.fixture
def arabic(browser: BrowserContext, stack: Stack) -> Iterator[Page]:
    """A browser that prefers Arabic."""
    assert browser.browser is not None
    context = browser.browser.new_context(base_url=stack.url, locale="ar-EG", viewport={"width": 360, "height": 740})
    yield context.new_page()
    context.close()


def say(page: Page, text: str) -> str:
    """Send a message; the whole answer's words."""
    page.locator("#text").fill(text)
    page.locator("#text").press("Enter")
    answer = page.locator("#messages .message.assistant").last
    answer.wait_for(timeout=ANSWER_MS)
    page.locator("#activity:empty").wait_for(state="attached", timeout=ANSWER_MS)
    return answer.inner_text()


def too_wide(page: Page) -> list[str]:
    """What sticks out of the page sideways, but for what scrolls by itself."""
    return page.evaluate(  # type: ignore[no-any-return]
        """() => document.documentElement.scrollWidth <= document.documentElement.clientWidth ? [] :
        [...document.querySelectorAll("body *")].filter((one) => {
          const box = one.getBoundingClientRect();
          return box.width && (box.right > innerWidth + 1 || box.left < -1);
        }).map((one) => `${one.tagName}.${one.className}`).slice(0, 5)"""
    )


def test_german_from_the_menu_to_an_article(browser: BrowserContext) -> None:
    page = browser.new_page()
    page.goto("/")
    page.locator(".language-menu summary").press("Enter")
    page.get_by_role("button", name="Deutsch").press("Enter")
    page.locator('html[lang="de"]').wait_for(state="attached")
    found = problems(page, "chat")
    assert page.get_by_role("button", name="Mit einem Menschen sprechen").is_visible()
    assert "nur Englisch" in say(page, "Guten Tag, wie lange dauert die Lieferung bitte?")
    found += problems(page, "answer")
    page.goto("/help/?q=Rücksendung")
    page.get_by_role("link", name="Artikel zurücksenden").first.click()
    page.get_by_role("heading", name="Artikel zurücksenden", level=1).wait_for()
    assert "2. November 2026" in page.locator("article").inner_text()
    assert page.locator('link[hreflang="ar"]').get_attribute("href")
    page.goto("/help/warranty/")
    assert "noch nicht auf Deutsch" in page.locator("main").inner_text()
    assert page.locator('article[lang="en"][dir="ltr"]').count() == 1
    found += problems(page, "an article in English")
    assert not found, "\n".join(found)


def test_arabic_runs_from_the_right(arabic: Page) -> None:
    page = arabic
    found: list[str] = []
    for width in (360, 768, 1440):
        page.set_viewport_size({"width": width, "height": 740})
        for path in PATHS:
            page.goto(path)
            assert page.locator("html").get_attribute("dir") == "rtl"
            found += [f"{path} at {width} px: {one}" for one in too_wide(page)]
        found += problems(page, f"at {width} px")
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto("/")
    say(page, "Where is my parcel?")
    own = page.locator("#messages .message.customer .words").first.bounding_box()
    send = page.locator("#send").bounding_box()
    assert own is not None
    assert send is not None
    assert own["x"] < 40, "one's own words stand at the end of the line: on the left"
    assert send["x"] < 60, "and so does the button that sends them"
    assert (
        page.evaluate("getComputedStyle(document.querySelector('.message.customer .words')).unicodeBidi") == "plaintext"
    )
    found += problems(page, "answer") + [f"the chat: {one}" for one in too_wide(page)]
    assert not found, "\n".join(found)
