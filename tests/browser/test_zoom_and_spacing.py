"""Twice as large, 320 pixels wide, with a reader's own spacing: nothing is cut, nothing scrolls sideways."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import Chat
from tests.browser.looking import TEXT_SPACING, add_style, measured, script

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.addresses import Addresses

pytestmark = [pytest.mark.timeout(240), pytest.mark.deep]
ZOOMED = (720, 450)  # 1440 by 900 at 200 %
REFLOWED = (320, 640)  # 1280 at 400 %, WCAG 1.4.10
CUSTOMERS = ["help/", "help/<slug>/", "message/", "privacy/", "chat/transcript/"]
STAFF = [
    *("admin/inbox/", "admin/inbox/<conversation_id>/", "admin/traces/", "admin/traces/<conversation_id>/"),
    *("admin/ops/", "admin/report/", "admin/ops/alerts/", "admin/ops/prompts/", "admin/ops/controls/", "admin/"),
    *("admin/evals/", "admin/evals/<run_id>/", "admin/evals/compare/", "admin/evals/cases/<case>/"),
]


def problems(page: Page, where: str) -> Iterator[str]:
    """At each size, and with wider spacing at the wider one."""
    for name, (width, height) in (("200 %", ZOOMED), ("320", REFLOWED)):
        page.set_viewport_size({"width": width, "height": height})
        yield from (f"{where} at {name}: {what} {one}" for what in ("wide", "cut") for one in measured(page, what))
    page.set_viewport_size({"width": 1280, "height": 800})
    add_style(page, TEXT_SPACING)
    yield from (f"{where} spaced: {what} {one}" for what in ("wide", "cut") for one in measured(page, what))


def test_the_pages(people: dict[str, Page], addresses: Addresses) -> None:
    found: list[str] = []
    for who, names in (("customer", CUSTOMERS), ("stranger", ["account/login/"]), ("admin", STAFF)):
        for name in names:
            people[who].goto(addresses["pages"][name])
            found += problems(people[who], name)
    assert not found, "\n".join(found)


def test_the_chat_in_use(sized: Callable[[int, int], Chat]) -> None:
    chat = sized(*REFLOWED)
    page, found = chat.page, list[str]()
    page.context.add_init_script(script())
    chat.open()
    found += problems(page, "empty")
    page.reload()
    page.set_viewport_size({"width": REFLOWED[0], "height": REFLOWED[1]})
    chat.ask("How much is express shipping?")
    for width, height in (ZOOMED, REFLOWED, (320, 256)):
        page.set_viewport_size({"width": width, "height": height})
        field = page.get_by_label("Your message").bounding_box()
        assert field, "the composer is gone"
        assert field["y"] + field["height"] <= height, f"the composer is out of sight at {width} by {height}"
        assert field["width"] >= 150
    page.get_by_role("button", name="Talk to a person").click()
    page.locator(".card.promise").wait_for()
    found += problems(page, "waiting")
    assert not found, "\n".join(found)
