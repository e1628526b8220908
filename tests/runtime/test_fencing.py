"""One owner a turn: what a runner that lost it still writes comes to nothing, and what it paid is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from support_agent.agent.config import LIMITS
from support_agent.agent.errors import TurnLost
from support_agent.agent.types import Outcome, Spend, StepKind, StepRecord, Surface, TurnState, Usage
from support_agent.models import Heartbeat, Step, Turn
from support_agent.models.limits import Spend as Total
from support_agent.runtime.attempt import Attempt
from support_agent.runtime.budgets import TurnBudget, spent_of
from support_agent.runtime.claims import claim, is_stuck, release, renew
from support_agent.runtime.recovery import sweep
from support_agent.runtime.steps import insert_steps
from support_agent.runtime.turns import checkpoint, fail, finish
from tests.cast import Cast, make_cast
from tests.fakes.messages_api import FakeMessagesAPI
from tests.fakes.scripted import ScriptedModel
from tests.runtime.conftest import begin, client_of, post
from tickets.db import in_db
from tickets.models import Conversation, Event, Message
from tickets.services.conversations import conversation_claim

STEP = StepRecord(0, StepKind.MODEL_CALL, model="m", spend=Spend(Usage(10, 5), Decimal("0.001")))


def claimed(owner: str = "one") -> Turn:
    [turn] = claim(owner, 10)
    return turn


@contextmanager
def alive(owner: str, key: int = 4711) -> Iterator[None]:
    """Hold a runner's lock, as its session does while it lives."""
    Heartbeat.objects.create(name=owner, kind="runner", lock_key=key)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s::bigint)", [key])
        yield
        cursor.execute("SELECT pg_advisory_unlock(%s::bigint)", [key])


def orphan(turn: Turn) -> None:
    Turn.objects.filter(pk=turn.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_a_turn_is_claimed_once(cast: Cast) -> None:
    post(begin(), "Hello")
    turn = claimed("one")
    assert (turn.owner, turn.attempt, turn.state) == ("one", 1, "running")
    with alive("one"):
        assert claim("two", 10) == []


def test_one_turn_runs_at_a_time_in_a_conversation(cast: Cast) -> None:
    conversation = begin()
    post(conversation, "Hello")
    running = claimed()
    waiting = post(conversation, "And another thing").turn
    assert waiting is not None
    assert waiting != running
    finish(running, Outcome("answered", "Hello."))
    assert claim("one", 10) == [waiting]


def test_the_first_owners_late_writes_are_fenced_off_but_its_cost_is_kept(cast: Cast) -> None:
    post(begin(), "Hello")
    first = claimed("one")
    orphan(first)
    second = claimed("two")
    assert second.attempt == 2
    with pytest.raises(TurnLost):
        finish(first, Outcome("answered", "Too late."))
    with pytest.raises(TurnLost):
        fail(first, "too late")
    with pytest.raises(TurnLost):
        checkpoint(first, [STEP], TurnState())
    finish(second, Outcome("answered", "In time."))
    assert [m.text for m in Message.objects.filter(role="assistant")] == ["In time."]
    assert Turn.objects.get().cost_usd == Decimal("0.001") == Step.objects.get().cost_usd


def test_after_a_take_over_nothing_of_the_assistant_is_written(cast: Cast) -> None:
    conversation = begin()
    post(conversation, "Hello")
    turn = claimed()
    conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    last = Event.objects.filter(conversation=conversation).latest("seq")
    with pytest.raises(TurnLost):
        finish(turn, Outcome("answered", "Me again."))
    assert last.payload["status"] == "human"
    assert Event.objects.filter(conversation=conversation).latest("seq") == last


def test_a_handed_back_turn_is_taken_at_once(cast: Cast) -> None:
    post(begin(), "Hello")
    turn = claimed("one")
    assert release("one") == 1
    assert claim("two", 10) == [turn]


def test_a_lost_lock_or_a_lost_lease_is_enough_to_lose_a_turn(cast: Cast) -> None:
    post(begin(), "Hello")
    turn = claimed("one")
    with alive("one"):
        orphan(turn)
        [turn] = claim("two", 10)  # the lock says alive, the lease says cut off
        finish(turn, Outcome("answered", "Hello."))
    post(begin(), "Hello")
    other = claimed("one")
    assert claim("two", 10) == [other]  # the lease says alive, the lock says dead


def test_renewing_tells_which_turns_are_lost_or_must_stop(cast: Cast) -> None:
    post(begin(), "Hello")
    turn = claimed("one")
    assert renew("one", [turn.pk]) == {turn.pk: ""}
    Turn.objects.update(stop_requested="stop")
    assert renew("one", [turn.pk]) == {turn.pk: "stop"}
    Turn.objects.update(owner="two")
    assert renew("one", [turn.pk]) == {}


@pytest.mark.django_db(transaction=True)
async def test_the_call_that_died_with_its_runner_is_charged_as_an_estimate() -> None:
    conversation = await in_db(begin)
    await in_db(post, conversation, "Hello")
    turn = await in_db(claimed, "one")
    await TurnBudget(turn, turn.conversation, LIMITS[Surface.ANONYMOUS]).reserve(Decimal("0.02"), 100)
    assert await in_db(lambda: Total.objects.get(scope="conversation").reserved_usd) == Decimal("0.02")
    await in_db(orphan, turn)
    second = await in_db(claimed, "two")
    assert await in_db(lambda: Total.objects.get(scope="conversation").reserved_usd) == 0
    assert await in_db(spent_of, "conversation", str(conversation.pk)) == Decimal("0.02")
    step = await in_db(Step.objects.get, turn=second)
    assert (step.cost_usd, step.cost_estimated, step.kind) == (Decimal("0.02"), True, "error")


async def reserved(usd: str) -> tuple[Conversation, Turn]:
    """A turn that one runner has, in the middle of a call."""
    conversation = await in_db(begin)
    await in_db(post, conversation, "Hello")
    turn = await in_db(claimed, "one")
    await TurnBudget(turn, turn.conversation, LIMITS[Surface.ANONYMOUS]).reserve(Decimal(usd), 100)
    return conversation, turn


@pytest.mark.django_db(transaction=True)
async def test_a_call_given_up_for_lost_that_comes_late_takes_the_place_of_its_estimate() -> None:
    conversation, first = await reserved("0.02")
    await in_db(orphan, first)
    second = await in_db(claimed, "two")
    assert (second.cost_usd, second.checkpoint["next_index"]) == (Decimal("0.02"), 1)  # type: ignore[index]
    with pytest.raises(TurnLost):
        await in_db(checkpoint, first, [STEP], TurnState())
    found = await in_db(Turn.objects.get, pk=first.pk)
    steps = await in_db(lambda: [(s.attempt, s.index, s.cost_usd) for s in Step.objects.all()])
    assert steps == [(1, 0, Decimal("0.001"))]
    assert (found.cost_usd, found.step_count) == (Decimal("0.001"), 1)
    total = await in_db(Total.objects.get, scope="conversation", key=str(conversation.pk))
    assert (total.spent_usd, total.reserved_usd) == (Decimal("0.001"), Decimal(0))


@pytest.mark.django_db(transaction=True)
async def test_a_call_is_not_made_for_a_turn_that_was_lost() -> None:
    _, first = await reserved("0.02")
    await in_db(orphan, first)
    await in_db(claimed, "two")
    with pytest.raises(TurnLost):
        await TurnBudget(first, first.conversation, LIMITS[Surface.ANONYMOUS]).reserve(Decimal("0.02"), 100)
    assert not await in_db(lambda: Total.objects.filter(reserved_usd__gt=0).exists())


@pytest.mark.django_db(transaction=True)
async def test_the_sweep_charges_the_call_of_a_turn_that_was_ended_while_its_runner_died() -> None:
    conversation, turn = await reserved("0.02")
    staff = (await in_db(make_cast)).agent
    await in_db(conversation_claim, conversation_id=conversation.pk, staff=staff)
    assert (await in_db(sweep)).lost_calls == 0  # its runner may still say what it cost
    await in_db(lambda: Turn.objects.update(finished_at=timezone.now() - timedelta(minutes=3)))
    assert [(await in_db(sweep)).lost_calls for _ in range(2)] == [1, 0]
    assert await in_db(spent_of, "conversation", str(conversation.pk)) == Decimal("0.02")
    found = await in_db(Turn.objects.get, pk=turn.pk)
    assert (found.cost_usd, found.reservation, found.checkpoint) == (Decimal("0.02"), None, None)


@pytest.mark.parametrize("is_written", [False, True])
@pytest.mark.django_db(transaction=True)
async def test_a_finished_step_waits_for_a_database_that_restarts(
    monkeypatch: pytest.MonkeyPatch, is_written: bool
) -> None:
    """Whether the connection broke before the commit or after it: the step is there once."""
    await in_db(post, await in_db(begin), "Hello")
    turn = await in_db(claimed)
    answers = iter([True, False])

    def breaks(*args: Any) -> None:
        away = next(answers)
        if is_written or not away:
            checkpoint(*args)
        if away:
            raise OperationalError("the connection is gone")

    monkeypatch.setattr("support_agent.runtime.attempt.checkpoint", breaks)
    await Attempt(turn, client_of(FakeMessagesAPI(ScriptedModel()))).steps([STEP], TurnState(next_index=1))
    found = await in_db(Turn.objects.get, pk=turn.pk)
    assert (found.step_count, found.cost_usd) == (1, Decimal("0.001"))
    assert await in_db(Step.objects.count) == 1


def test_only_attempts_that_take_a_turn_no_further_are_counted(cast: Cast) -> None:
    post(begin(), "Hello")
    turn = claimed()
    Turn.objects.update(attempt=7)
    turn.refresh_from_db()
    assert is_stuck(turn)
    insert_steps(turn, [STEP], attempt=2)
    assert not is_stuck(turn)
    Turn.objects.update(attempt=8)
    turn.refresh_from_db()
    assert is_stuck(turn)


def test_a_checkpoint_of_another_version_is_read() -> None:
    assert TurnState.restored({"path": "fast", "of_tomorrow": 1}) == TurnState(path="fast")


def test_a_failed_turn_says_so_and_names_the_next_step(cast: Cast) -> None:
    conversation = begin()
    post(conversation, "Hello")
    turn = claimed()
    fail(turn, "a bug")
    message = Message.objects.get(conversation=conversation, role="system")
    assert "Talk to a person" in message.text
    assert Turn.objects.get().state == "failed"
    assert Event.objects.filter(conversation=conversation).latest("seq").payload["state"] == "failed"
    assert Conversation.objects.get(pk=conversation.pk).status == "ai"
