"""Who gets a socket: close codes a client can read, origins, and rights that end while it is open."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client

from support_agent.chat import consumers
from tests.cast import PASSWORD, Cast
from tests.chat.conftest import Line, begin, browser_session
from tickets.db import in_db

Lines = Callable[..., Line]


async def refusal(line: Line) -> int:
    assert await line.open(), "a refusal with a code must come after the socket was accepted"
    return await line.closed()


async def test_a_token_opens_its_conversation_without_an_origin(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    line = lines(conversation.pk, token=token, origin=None)
    await line.open()
    assert (await line.frame())["type"] == "ready"


async def test_the_browser_that_began_it_and_its_customer_get_in(people: Cast, lines: Lines) -> None:
    anonymous, _ = await begin()
    owned, _ = await begin(people.owner)
    for conversation, cookie in (
        (anonymous, await browser_session(None, anonymous)),
        (owned, await browser_session(people.owner_user)),
    ):
        line = lines(conversation.pk, cookie=cookie)
        await line.open()
        assert (await line.frame())["type"] == "ready"


async def test_foreign_and_missing_look_alike(people: Cast, lines: Lines) -> None:
    owned, _ = await begin(people.owner)
    _, other_token = await begin(people.other)
    cookie = await browser_session(people.other_user)
    for found in (owned.pk, uuid4()):
        assert await refusal(lines(found, cookie=cookie)) == 4404
        assert await refusal(lines(found, token=other_token, origin=None)) == 4404


async def test_nobody_is_not_authorised(people: Cast, lines: Lines) -> None:
    conversation, _ = await begin()
    for found in (conversation.pk, uuid4()):
        assert await refusal(lines(found)) == 4401
        assert await refusal(lines(found, token="made-up", origin=None)) == 4401
        assert await refusal(lines(found, cookie="made-up")) == 4401


@pytest.mark.parametrize("origin", ["http://evil.example", "https://testserver", "http://testserver:81", "null"])
async def test_a_foreign_origin_is_refused_before_the_handshake(people: Cast, lines: Lines, origin: str) -> None:
    conversation, token = await begin()
    assert not await lines(conversation.pk, origin=origin, token=token).open()


async def test_a_cookie_without_an_origin_is_refused(people: Cast, lines: Lines) -> None:
    conversation, _ = await begin()
    cookie = await browser_session(None, conversation)
    assert not await lines(conversation.pk, origin=None, cookie=cookie).open()


async def test_too_many_sockets_of_a_conversation(people: Cast, lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "SOCKETS_PER_CONVERSATION", 1)
    conversation, token = await begin()
    first = lines(conversation.pk, token=token, origin=None)
    await first.open()
    await first.until("ready")
    assert await refusal(lines(conversation.pk, token=token, origin=None)) == 4429


async def test_signing_out_closes_the_socket(people: Cast, lines: Lines) -> None:
    conversation, _ = await begin(people.owner)
    client = Client()
    await in_db(client.login, username=people.owner_user.username, password=PASSWORD)
    line = lines(conversation.pk, cookie=client.cookies["sessionid"].value)
    await line.open()
    await line.until("ready")
    await in_db(client.post, "/account/logout/")
    assert await line.closed() == 4401


async def test_signing_out_elsewhere_leaves_this_socket_open(people: Cast, lines: Lines) -> None:
    conversation, _ = await begin(people.owner)
    line = lines(conversation.pk, cookie=await browser_session(people.owner_user))
    await line.open()
    await line.until("ready")
    elsewhere = Client()
    await in_db(elsewhere.login, username=people.owner_user.username, password=PASSWORD)
    await in_db(elsewhere.post, "/account/logout/")
    await line.send(type="ping")
    assert (await line.frame())["type"] == "pong"


async def test_a_disabled_account_is_noticed_at_the_next_frame(people: Cast, lines: Lines) -> None:
    conversation, _ = await begin(people.owner)
    line = lines(conversation.pk, cookie=await browser_session(people.owner_user))
    await line.open()
    await line.until("ready")
    people.owner_user.is_active = False
    await in_db(people.owner_user.save)
    await line.send(type="ping")
    assert await line.closed() == 4401


async def test_a_frame_past_64_kib_ends_the_socket(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    line = lines(conversation.pk, token=token, origin=None)
    await line.open()
    await line.until("ready")
    await line.send(type="ping", filler="x" * 65_536)
    assert await line.closed() == 1009
