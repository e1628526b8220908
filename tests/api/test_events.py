"""Reading what happened: in order, from either end, with the click's token for its owner alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Caller
from tests.cast import Cast
from tickets.services.actions import action_propose
from tickets.services.messages import message_system


@pytest.fixture
def ten(caller: Caller) -> Caller:
    for number in range(1, 11):
        message_system(conversation=caller.conversation, text=f"Line {number}")
    return caller


def test_everything_in_order(ten: Caller) -> None:
    answer = ten.get(f"/conversations/{ten.id}/events")
    assert [event["seq"] for event in answer.json["events"]] == list(range(1, 11))
    assert answer.json["last_seq"] == 10


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"after": 7}, [8, 9, 10]),
        ({"after": 2, "limit": 2}, [3, 4]),
        ({"after": 2, "before": 5}, [3, 4]),
        ({"before": 5, "limit": 2}, [3, 4]),
        ({"after": 10}, []),
        ({"after": 99}, []),
    ],
)
def test_a_part(ten: Caller, query: dict[str, Any], expected: list[int]) -> None:
    assert [event["seq"] for event in ten.events(**query)] == expected


@pytest.mark.parametrize("query", [{"after": -1}, {"limit": 0}, {"limit": 501}, {"after": "x"}, {"before": 2**63}])
def test_bounds(ten: Caller, query: dict[str, Any]) -> None:
    answer = ten.get(f"/conversations/{ten.id}/events", **query)
    assert answer.refusal == (422, "invalid")
    assert answer.json["errors"][0]["field"] == next(iter(query))


def test_only_a_waiting_proposal_carries_its_token(own: Caller, cast: Cast) -> None:
    action = action_propose(
        conversation=own.conversation,
        customer=cast.owner,
        turn_id=None,
        tool="cancel_order",
        arguments={"order_number": cast.paid.order_number, "reason": "changed my mind"},
        summary="Cancel it",
        preview={},
        idempotency_key="one",
    )
    token = own.events()[-1]["action"]["token"]
    own.post(f"/conversations/{own.id}/actions/{action.pk}", token=token, approve=False)
    states = [(event["action"]["state"], "token" in event["action"]) for event in own.events()]
    assert states == [("proposed", False), ("declined", False)]
