"""Signing out leaves nothing open in this browser, not even the tab that was there before signing in."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.test import Client

from tests.cast import PASSWORD, Cast
from tests.chat.conftest import Line
from tickets.db import in_db
from tickets.models import Conversation

Lines = Callable[..., Line]


async def test_the_tab_from_before_signing_in_is_closed_too(people: Cast, lines: Lines) -> None:
    browser = Client()
    conversation = UUID((await in_db(browser.post, "/chat/start/")).json()["id"])
    stale = lines(conversation, cookie=browser.cookies["sessionid"].value)
    await stale.open()
    await stale.until("ready")
    sign_in = {"email": people.owner.email, "password": PASSWORD}
    await in_db(browser.post, "/account/login/", sign_in)
    assert (await in_db(Conversation.objects.get, pk=conversation)).customer_id == people.owner.pk
    await in_db(browser.post, "/account/logout/")
    assert await stale.closed() == 4401
