"""Whoever is erased while their chat is open: it closes, with a cookie as with a token, and does not open again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from support_agent.privacy.erase import erase
from tests.cast import Cast
from tests.chat.conftest import Line, begin, browser_session, lines, people
from tickets.db import in_db

__all__ = ["lines", "people"]
Lines = Callable[..., Line]


async def test_both_close_and_neither_opens_again(people: Cast, lines: Lines) -> None:
    conversation, token = await begin(people.owner)
    cookie = await browser_session(people.owner_user, conversation)
    tabs = [lines(conversation.pk, cookie=cookie), lines(conversation.pk, token=token, origin=None)]
    for tab in tabs:
        await tab.open()
        await tab.until("ready")
    await in_db(erase, people.owner.email)
    assert [await _close_code(tab) for tab in tabs] == [4401, 4401]
    for again in (lines(conversation.pk, cookie=cookie), lines(conversation.pk, token=token, origin=None)):
        await again.open()
        assert await _close_code(again) in (4401, 4404)


async def _close_code(tab: Line) -> int:
    """After whatever came before it."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await tab.closed()
            except AssertionError:
                continue
