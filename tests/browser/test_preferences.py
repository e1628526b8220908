"""What readers ask their system for is kept: no motion, forced colours, more contrast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import Chat
from tests.browser.looking import measured, script

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.addresses import Addresses

pytestmark = [pytest.mark.timeout(180), pytest.mark.deep]
PAGES = {
    "stranger": ["/", "help/", "account/login/", "message/"],
    "customer": ["/", "help/<slug>/", "chat/transcript/"],
    "admin": [
        *("admin/inbox/", "admin/inbox/<conversation_id>/", "admin/traces/<conversation_id>/", "admin/ops/"),
        *("admin/report/", "admin/", "django-rq/"),
    ],
}


def test_nothing_moves_and_nothing_is_lost_in_forced_colours(people: dict[str, Page], addresses: Addresses) -> None:
    found: list[str] = []
    for who, names in PAGES.items():
        page = people[who]
        for name in names:
            page.emulate_media(reduced_motion="reduce", forced_colors="none")
            page.goto(addresses["pages"][name])
            found += [f"{name} moves: {one}" for one in measured(page, "moving")]
            page.emulate_media(forced_colors="active")
            found += [f"{name} is not seen in forced colours: {one}" for one in measured(page, "unseen")]
    assert not found, "\n".join(found)


def test_the_chat_at_work(chat: Chat) -> None:
    """The skeleton of an answer stands still; a chosen rating is told from the others without its ground."""
    page = chat.page
    page.context.add_init_script(script())
    page.emulate_media(reduced_motion="reduce")
    chat.open()
    chat.ask("How much is express shipping?")
    assert not measured(page, "moving")
    page.get_by_role("button", name="End conversation").click()
    page.locator("#survey").wait_for()
    page.emulate_media(forced_colors="active")
    page.locator("#survey label", has_text="5").click()
    edges = page.evaluate("""() => ["4", "5"].map((rating) => {
        const style = getComputedStyle(document.querySelector(`#survey input[value="${rating}"] + span`));
        return [style.borderTopWidth, style.borderTopColor, style.backgroundColor].join();
    })""")
    assert edges[0] != edges[1]


def test_more_contrast(people: dict[str, Page], addresses: Addresses) -> None:
    """Soft words and thin lines become as strong as the rest, light and dark."""
    for who, name in (("stranger", "/"), ("admin", "admin/")):
        page = people[who]
        page.goto(addresses["pages"][name])
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", contrast="more")
            soft, edge = page.evaluate("""() => {
                const probe = document.createElement("p");
                probe.className = "soft quiet help";
                document.body.append(probe);
                const of = (value) => { probe.style.color = value; return getComputedStyle(probe).color; };
                const paper = of("var(--paper)");
                return [looking.contrast(of("var(--ink-soft)"), paper), looking.contrast(of("var(--line)"), paper)];
            }""")
            assert soft >= 7, f"{name} {scheme}"
            assert edge >= 3, f"{name} {scheme}"
