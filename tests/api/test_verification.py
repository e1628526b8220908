"""Proving who one is over HTTP: the same answer for an address we know and one we do not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Answer, Caller
from tests.cast import Cast
from tickets.models import Verification
from tickets.services.codes import code_of


def ask(caller: Caller, email: str) -> Answer:
    return caller.post(f"/conversations/{caller.id}/verification", email=email)


def send(caller: Caller, code: str) -> Answer:
    return caller.post(f"/conversations/{caller.id}/verification", code=code)


def code(caller: Caller, wrong: bool = False) -> str:
    real = code_of(Verification.objects.get(conversation=caller.conversation, state="requested"))
    return f"{(int(real) + 1) % 1_000_000:06d}" if wrong else real


def test_known_and_unknown_addresses_are_answered_alike(caller: Caller, foreign: Caller, cast: Cast) -> None:
    known, unknown = ask(caller, "olivia.owner@example.com"), ask(foreign, "olivia.nobody@example.com")
    assert known.status == unknown.status == 202
    assert (
        known.json
        == unknown.json
        == {
            "state": "requested",
            "email_masked": "o•••@example.com",
            "attempts_left": 3,
        }
    )
    wrong = [send(each, code(each, wrong=True)) for each in (caller, foreign)]
    assert wrong[0].status == wrong[1].status == 200
    assert wrong[0].json == wrong[1].json
    assert wrong[0].json["attempts_left"] == 2


def test_the_code_proves_it(caller: Caller, cast: Cast) -> None:
    ask(caller, cast.owner.email)
    answer = send(caller, code(caller))
    assert (answer.status, answer.json["state"], answer.json["attempts_left"]) == (200, "verified", 0)
    assert caller.conversation.customer == cast.owner
    assert [event["state"] for event in caller.events()] == ["requested", "verified"]
    assert ask(caller, cast.owner.email).refusal == (409, "conflict")


def test_three_wrong_codes_end_it(caller: Caller, cast: Cast) -> None:
    ask(caller, cast.owner.email)
    wrong = code(caller, wrong=True)
    assert [send(caller, wrong).json["state"] for _ in range(3)] == ["requested", "requested", "failed"]
    assert send(caller, wrong).refusal == (410, "expired")


def test_no_code_was_asked_for(caller: Caller) -> None:
    assert send(caller, "123456").refusal == (410, "expired")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "a@example.com", "code": "1"},
        {"email": "nobody"},
        {"code": ""},
        {"email": f"{'a' * 250}@b.example"},
    ],
)
def test_what_is_neither(caller: Caller, body: dict[str, Any]) -> None:
    assert caller.post(f"/conversations/{caller.id}/verification", **body).refusal == (422, "invalid")
