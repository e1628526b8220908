"""Too much at once is refused in words, with the seconds to wait, and the socket stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support_agent.runtime import ratelimit
from tests.cast import Cast
from tests.chat.conftest import Line, begin, said
from tickets.db import in_db
from tickets.models import Message

Lines = Callable[..., Line]


async def test_a_message_past_the_rate_is_not_kept(people: Cast, lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ratelimit.RATES, "message", 0)  # whatever the scale, one a minute is left
    conversation, token = await begin()
    line = lines(conversation.pk, token=token, origin=None)
    await line.open()
    await line.until("ready")
    await line.send(**said("one"))
    await line.until("ack")
    sent = said("two")
    await line.send(**sent)
    error = await line.until("error")
    assert error["code"] == "rate_limited"
    assert 1 <= error["retry_after"] <= 60
    assert error["client_message_id"] == str(sent["client_message_id"])
    assert await in_db(Message.objects.filter(conversation=conversation).count) == 1


async def test_an_address_that_opens_too_many_sockets(
    people: Cast, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ratelimit.RATES, "socket", 0)
    conversation, token = await begin()
    first, second = (lines(conversation.pk, token=token, origin=None, address="192.0.2.77") for _ in range(2))
    await first.open()
    await first.until("ready")
    await second.open()
    assert await second.closed() == 4429
