"""The agent as a background service: for staff's keys, out of sight of customers and the inbox."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from support_agent.agent.types import EscalationWish, Outcome
from support_agent.models import ApiKey, Task, Turn
from support_agent.runtime.claims import claim
from support_agent.runtime.tasks import start_task
from support_agent.runtime.turns import fail, finish
from tests.api.conftest import Answer, Caller
from tests.cast import Cast
from tickets.access import Visitor, conversations_of_visitor
from tickets.errors import Conflict
from tickets.models import Escalation, User
from tickets.services.escalations import escalation_open

TASK: dict[str, Any] = {"task": "Which orders are open?", "complexity": "simple", "budget_usd": "0.50"}


def key_of(user: User) -> str:
    key = ApiKey.new_key()
    ApiKey.objects.create(user=user, name="test", key_hash=ApiKey.hash(key))
    return key


@pytest.fixture
def staff(anyone: Caller, cast: Cast) -> Caller:
    anyone.token = key_of(cast.ops)
    return anyone


def ask(staff: Caller, **changes: Any) -> Answer:
    return staff.post("/tasks", **{**TASK, **changes})


def ended(staff: Caller, task_id: str, outcome: Outcome) -> Answer:
    """The task after its job, its turn and this end."""
    start_task(task_id)
    (turn,) = claim("test", 1)
    finish(turn, outcome)
    return staff.get(f"/tasks/{task_id}")


def test_from_queued_to_done(staff: Caller, cast: Cast) -> None:
    answer = ask(staff, customer="Olivia.Owner@example.com")
    assert answer.status == 202
    assert set(answer.json) == {"id"}
    shown = staff.get(f"/tasks/{answer.json['id']}").json
    assert shown == {
        "id": answer.json["id"],
        "state": "queued",
        "usage": {"calls": 0, "input_tokens": 0, "output_tokens": 0, "cost_usd": "0.00", "budget_usd": "0.50"},
    }
    start_task(answer.json["id"])
    start_task(answer.json["id"])  # a job that ran twice
    (turn,) = claim("test", 5)
    assert (turn.surface, turn.budget_usd, turn.conversation.customer) == ("background", Decimal("0.50"), cast.owner)
    assert staff.get(f"/tasks/{answer.json['id']}").json["state"] == "running"
    finish(turn, Outcome("answered", "Two are open."))
    done = staff.get(f"/tasks/{answer.json['id']}").json
    assert (done["state"], done["result"]) == ("done", "Two are open.")


def test_a_spent_budget_stops_it(staff: Caller) -> None:
    wish = EscalationWish("budget", "the turn's limit is reached")
    answer = ended(staff, ask(staff).json["id"], Outcome("escalated", "A person will continue here.", escalation=wish))
    assert (answer.json["state"], answer.json["result"]) == ("stopped", "Stopped before it was done: budget.")
    assert not Escalation.objects.exists()


def test_a_failed_one(staff: Caller) -> None:
    task_id = ask(staff).json["id"]
    start_task(task_id)
    (turn,) = claim("test", 1)
    fail(turn, "the model is away")
    assert staff.get(f"/tasks/{task_id}").json["state"] == "failed"


def test_nobody_is_asked_to_take_a_task_over(staff: Caller) -> None:
    start_task(ask(staff).json["id"])
    with pytest.raises(Conflict):
        escalation_open(conversation=Turn.objects.get().conversation, reason="asked")


def test_its_conversation_is_the_customers_in_no_list(staff: Caller, cast: Cast, anyone: Caller) -> None:
    start_task(ask(staff, customer=str(cast.owner.pk)).json["id"])
    turn = Turn.objects.get()
    visitor = Visitor(user_id=cast.owner_user.pk, customer_id=cast.owner.pk)
    assert not conversations_of_visitor(visitor).exists()
    anyone.token = ""
    anyone.client.force_login(cast.owner_user)
    assert anyone.get(f"/conversations/{turn.conversation_id}/events").refusal == (404, "not_found")
    assert anyone.get(f"/turns/{turn.pk}").refusal == (404, "not_found")


@pytest.mark.parametrize(
    ("given", "kept"), [("9.99", "5.00"), (0.0001, "0.0001"), ("0.000001", "0.000001"), (2, "2.00")]
)
def test_budgets_are_kept_exactly_up_to_the_most(staff: Caller, given: Any, kept: str) -> None:
    task_id = ask(staff, budget_usd=given).json["id"]
    assert staff.get(f"/tasks/{task_id}").json["usage"]["budget_usd"] == kept


@pytest.mark.parametrize(
    "changes",
    [
        {"budget_usd": 0},
        {"budget_usd": "-1"},
        {"budget_usd": "a lot"},
        {"budget_usd": "1e30"},
        {"budget_usd": None},
        {"complexity": "huge"},
        {"task": None},
        {"customer": "nobody@example.com"},
        {"customer": str(uuid4())},
        {"customer": "\x00"},
    ],
)
def test_what_cannot_be_used_is_named(staff: Caller, changes: dict[str, Any]) -> None:
    answer = ask(staff, **changes)
    assert answer.refusal == (422, "invalid")
    assert [error["field"] for error in answer.json["errors"]] == list(changes)
    assert not Task.objects.exists()


@pytest.mark.parametrize(("text", "code"), [("  ", "empty"), ("x" * 5001, "too_long")])
def test_texts_that_are_refused(staff: Caller, text: str, code: str) -> None:
    assert ask(staff, task=text).refusal == (422, code)


def test_a_key_in_its_own_header(staff: Caller, cast: Cast) -> None:
    key, staff.token = staff.token, ""
    assert staff.post("/tasks", headers={"X-API-Key": key}, **TASK).status == 202


def test_keys_that_open_nothing(staff: Caller, caller: Caller, cast: Cast) -> None:
    good = staff.token
    assert Caller(staff.client).post("/tasks", **TASK).refusal == (401, "unauthorised")
    for token in ("sk-staff-none", caller.token, key_of(cast.owner_user), key_of(cast.stranger)):
        staff.token = token
        assert ask(staff).refusal == (401, "unauthorised")
    staff.token = good
    ApiKey.objects.filter(key_hash=ApiKey.hash(good)).update(revoked_at=timezone.now())
    assert ask(staff).refusal == (401, "unauthorised")


def test_somebody_elses_task_looks_like_none(staff: Caller, cast: Cast) -> None:
    task_id = ask(staff).json["id"]
    staff.token = key_of(cast.lead)
    theirs, missing = staff.get(f"/tasks/{task_id}"), staff.get(f"/tasks/{uuid4()}")
    assert theirs.refusal == missing.refusal == (404, "not_found")
    assert theirs.json == missing.json
