"""An e-mailed code typed into the socket's form; the answer never tells whether the address is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.cast import Cast
from tests.chat.conftest import Line, begin
from tickets.db import in_db
from tickets.models import Conversation, Verification
from tickets.services.codes import code_of

Lines = Callable[..., Line]


async def asked(lines: Lines, email: str) -> tuple[Line, dict[str, Any], Conversation]:
    conversation, token = await begin()
    line = lines(conversation.pk, token=token, origin=None)
    await line.open()
    await line.until("ready")
    await line.send(type="verify", email=email)
    return line, await line.frame(), conversation


async def the_code() -> str:
    return await in_db(lambda: code_of(Verification.objects.latest("created_at")))


async def test_the_right_code_binds_the_customer(people: Cast, lines: Lines) -> None:
    line, event, conversation = await asked(lines, people.owner.email)
    assert (event["type"], event["state"]) == ("verification", "requested")
    await line.send(type="verify", code=await the_code())
    assert (await line.frame())["state"] == "verified"
    found = await in_db(Conversation.objects.get, pk=conversation.pk)
    assert found.customer_id == people.owner.pk


async def test_known_and_unknown_addresses_get_the_same_answer(people: Cast, lines: Lines) -> None:
    _, known, _ = await asked(lines, people.owner.email)
    _, unknown, _ = await asked(lines, "olaf.nobody@example.com")
    assert known.keys() == unknown.keys()
    assert known | {"expires_at": ""} == unknown | {"expires_at": ""}


async def test_wrong_codes_are_counted_in_words_and_the_third_closes(people: Cast, lines: Lines) -> None:
    line, _, _ = await asked(lines, people.owner.email)
    wrong = "000000" if await the_code() != "000000" else "111111"
    for words in ("2 more tries", "1 more try"):
        await line.send(type="verify", code=wrong)
        error = await line.frame()
        assert error["code"] == "conflict"
        assert words in error["message"]
    await line.send(type="verify", code=wrong)
    assert (await line.frame())["state"] == "failed"
