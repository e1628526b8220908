"""How a turn stands, for clients that poll."""

from __future__ import annotations

from uuid import uuid4

from support_agent.agent.types import Outcome
from support_agent.runtime.claims import claim
from support_agent.runtime.turns import fail, finish
from tests.api.conftest import Caller


def asked(caller: Caller) -> str:
    return str(caller.say("Where is my order?").json["turn"]["id"])


def test_from_queued_to_answered(caller: Caller) -> None:
    turn_id = asked(caller)
    assert caller.get(f"/turns/{turn_id}").json == {"id": turn_id, "state": "queued"}
    (turn,) = claim("test", 1)
    assert caller.get(f"/turns/{turn_id}").json == {"id": turn_id, "state": "running"}
    finish(turn, Outcome("answered", "It is on its way."))
    answer = caller.get(f"/turns/{turn_id}").json
    assert (answer["state"], answer["message"]["role"]) == ("answered", "assistant")
    assert answer["message"] == caller.events()[-2]["message"]


def test_a_failed_one_names_the_next_step(caller: Caller) -> None:
    turn_id = asked(caller)
    (turn,) = claim("test", 1)
    fail(turn, "the model is away")
    answer = caller.get(f"/turns/{turn_id}").json
    assert (answer["state"], answer["message"]["role"]) == ("failed", "system")


def test_somebody_elses_looks_like_none(caller: Caller, foreign: Caller) -> None:
    theirs, missing = caller.get(f"/turns/{asked(foreign)}"), caller.get(f"/turns/{uuid4()}")
    assert theirs.refusal == missing.refusal == (404, "not_found")
    assert theirs.json == missing.json
