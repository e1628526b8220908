"""Values no form would send are answered like any wrong one, never by a crash."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from tests.cast import Cast
from tests.chat.conftest import Line, begin

Lines = Callable[..., Line]


def test_nul_in_the_sign_in(cast: Cast) -> None:
    answer = Client().post("/account/login/", {"email": "a\x00b@example.com", "password": "\x00"})
    assert answer.status_code == 200
    assert "do not belong together" in answer.content.decode()


@pytest.mark.parametrize(
    "path",
    [
        "/demo/mail/?to=%00",
        "/admin/inbox/?team=%00",
        "/admin/inbox/?q=%00",
        "/admin/traces/?until=9999-12-31",
        "/admin/traces/?since=0001-01-01",
    ],
)
def test_odd_filters(cast: Cast, path: str) -> None:
    staff = Client()
    staff.force_login(cast.lead)
    assert staff.get(path).status_code == 200


async def test_half_a_character_for_an_id(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    line = lines(conversation.pk, token=token, origin=None)
    await line.open()
    await line.until("ready")
    await line.raw(r'{"type": "message", "client_message_id": "\ud800", "text": "x"}')
    assert (await line.until("error"))["code"] == "bad_frame"
    await line.send(type="ping")
    assert (await line.frame())["type"] == "pong"


async def test_an_empty_bearer_does_not_stand_in_for_an_origin(people: Cast, lines: Lines) -> None:
    conversation, _ = await begin()
    line = lines(conversation.pk, origin=None)
    line._socket.scope["headers"].append((b"authorization", b"Bearer  "))
    assert not await line.open()
