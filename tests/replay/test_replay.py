"""A turn taken again: nothing but the replay is written, and what was asked for reaches the model."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import django_rq
import pytest
from django.utils import timezone

from support_agent.models import Replay, Spend, Step, SystemLimit, Turn
from support_agent.runtime.budgets import spent_of
from support_agent.runtime.controls import forget
from support_agent.runtime.prompting import prompt_activate, prompt_save
from support_agent.runtime.replay import client_for, replay_create, replay_enqueue, replays_repair, run_replay
from tests.fakes.messages_api import FakeMessagesAPI
from tests.fakes.replies import calls, plans, says, text, thinking
from tests.fakes.scripted import DemoModel
from tests.replay.conftest import ACTING, PLAN, Again, counted
from tests.runtime.conftest import Rig, client_of
from tests.runtime.test_assists import had, made
from tickets.db import in_db
from tickets.models import Conversation, Escalation, Job, Order
from tickets.queue import jobs_recover
from tickets.services.escalations import escalation_open
from tickets.services.messages import message_post

QUESTION = "I would like to know everything about AP-100001"
ANSWER = "Order AP-100001 over 180.00 USD has been delivered."
LOOK_UP = {"order_number": "AP-100001"}


async def taken(rig: Rig) -> Turn:
    """A planned turn with one look-up: plan, model call, tool call, model call, critic."""
    rig.model.add(plans(PLAN), calls("lookup_order", LOOK_UP), says(ANSWER))
    return await rig.ask(await rig.begin(rig.cast.owner), QUESTION)


@pytest.fixture(autouse=True)
def _limits_and_prompts_of_this_test() -> Iterator[None]:
    forget()
    yield
    forget()


def how(replay: Replay) -> list[tuple[str, str]]:
    return [(step["kind"], step.get("how", "")) for step in replay.steps]


async def test_nothing_but_the_replay_is_written(rig: Rig, again: Again) -> None:
    turn = await taken(rig)
    before = await in_db(counted)
    replay = await again.take(
        turn,
        plans({**ACTING, "subject": "orders"}),
        calls("cancel_order", {"order_number": "AP-100002", "reason": "no longer needed"}),
        calls(
            "create_ticket",
            {"customer_email": "a@example.com", "subject": "Torn tent", "body": "It is torn.", "category": "product"},
        ),
        calls("track_shipment", LOOK_UP),
        calls("escalate_to_human", {"reason": "asked", "summary": "They want a person."}),
        says("Please check the card and press Confirm. A colleague will look at it."),
    )
    assert await in_db(counted) == before
    assert (replay.state, replay.outcome, replay.error) == ("done", "escalated", "")
    tools = {step["tool"]: step for step in replay.steps if step["kind"] == "tool_call"}
    assert tools["cancel_order"]["how"] == tools["create_ticket"]["how"] == "simulated"
    assert tools["cancel_order"]["status"] == "pending_confirmation"
    assert tools["cancel_order"]["output"]["preview"]["refund"] == "180.00"
    assert tools["escalate_to_human"]["output"]["escalation"]["team"]
    assert await in_db(lambda: Order.objects.get(order_number="AP-100002").status) == "paid"
    assert not await in_db(Escalation.objects.exists)


async def test_the_same_call_is_answered_with_what_was_recorded(rig: Rig, again: Again) -> None:
    turn = await taken(rig)
    await in_db(Order.objects.filter(order_number="AP-100001").update, status="returned")
    lines = (
        plans(PLAN),
        calls("lookup_order", {"order_number": "100001"}),
        calls("track_shipment", LOOK_UP),
        says(ANSWER),
    )
    replay = await again.take(turn, *lines)
    looked_up, tracked = [step for step in replay.steps if step["kind"] == "tool_call"]
    assert (looked_up["how"], looked_up["output"]["order"]["status"]) == ("recorded", "delivered")
    assert (tracked["how"], tracked["output"]["order_status"]) == ("read", "returned")


async def test_steps_before_are_taken_over_without_a_call(rig: Rig, again: Again) -> None:
    turn = await taken(rig)
    replay = await again.take(turn, says("Your order AP-100001 has been delivered."), from_step=3)
    assert how(replay) == [
        ("plan", "taken over"), ("model_call", "taken over"), ("tool_call", "taken over"),
        ("model_call", ""), ("critic", ""),
    ]  # fmt: skip
    assert len(again.asked) == 1
    assert "lookup_order" in str(again.asked[0]["messages"])
    assert replay.text == "Your order AP-100001 has been delivered."
    assert replay.steps[0]["cost_usd"] > 0
    assert replay.cost_usd == Decimal(str(replay.steps[3]["cost_usd"]))
    assert not replay.notes


async def test_thinking_of_another_prompt_is_not_sent_again(rig: Rig, again: Again) -> None:
    rig.model.add(
        plans(PLAN), calls("lookup_order", LOOK_UP, before=[thinking("hm"), text("One moment.")]), says(ANSWER)
    )
    turn = await rig.ask(await rig.begin(rig.cast.owner), QUESTION)
    replay = await again.take(turn, says(ANSWER), from_step=2)
    assert "thinking" not in str(again.asked[0]["messages"])
    assert replay.text == f"One moment.\n\n{ANSWER}"


async def test_another_prompt_reaches_the_model(rig: Rig, again: Again) -> None:
    turn = await taken(rig)
    await in_db(prompt_save, name="assistant", text="You answer in rhymes.", note="fun", staff=rig.cast.lead)
    replay = await again.take(turn, plans(PLAN), calls("lookup_order", LOOK_UP), says(ANSWER), prompt="1")
    planned, answered = again.asked[0], again.asked[-1]
    assert "rhymes" in str(answered["system"])
    assert "rhymes" not in str(planned["system"])
    assert replay.state == Replay.State.DONE


async def test_without_a_wish_the_prompt_of_that_time_speaks(rig: Rig, again: Again) -> None:
    version = await in_db(prompt_save, name="assistant", text="You answer in rhymes.", note="", staff=rig.cast.lead)
    await in_db(prompt_activate, version=version, staff=rig.cast.lead, reason="It cannot wait.")
    turn = await taken(rig)
    later = await in_db(prompt_save, name="assistant", text="You answer in riddles.", note="", staff=rig.cast.lead)
    await in_db(prompt_activate, version=later, staff=rig.cast.lead, reason="It cannot wait.")
    lines = plans(PLAN), calls("lookup_order", LOOK_UP), says(ANSWER)
    await again.take(turn, *lines)
    assert "rhymes" in str(again.asked[-1]["system"])
    await again.take(turn, *lines, prompt="active")
    assert "riddles" in str(again.asked[-1]["system"])
    await again.take(turn, *lines, prompt="file")
    assert "AI support assistant" in str(again.asked[-1]["system"])


async def test_what_came_later_is_not_known(rig: Rig, again: Again) -> None:
    turn = await taken(rig)
    conversation = await in_db(Conversation.objects.get, pk=turn.conversation_id)
    rig.model.add(plans(PLAN), calls("lookup_order", {"order_number": "AP-100002"}), says("It is paid."))
    await rig.ask(conversation, "And what about my other one, AP-100002, please?")
    await in_db(Conversation.objects.filter(pk=conversation.pk).update, status="closed")
    replay = await again.take(turn, plans(ACTING), says("Sure."))
    sent = str(again.asked)
    assert QUESTION in sent
    assert "AP-100002" not in sent
    assert "status: a person" not in sent
    tools: Any = again.asked[-1]["tools"]
    assert "cancel_order" in [tool["name"] for tool in tools]
    assert replay.state == "done"


async def test_what_came_before_is_known(rig: Rig, again: Again) -> None:
    first = await taken(rig)
    conversation = await in_db(Conversation.objects.get, pk=first.conversation_id)
    rig.model.add(plans(PLAN), says("It came to 180.00 USD."))
    turn = await rig.ask(conversation, "And how much was it altogether, again?")
    originally = rig.model.asked[-1]["messages"]
    await again.take(turn, plans(PLAN), says("It came to 180.00 USD."))
    assert again.asked[-1]["messages"] == originally


async def test_costs_are_counted_for_the_replay_and_the_hour_alone(rig: Rig, again: Again) -> None:
    turn = await taken(rig)

    def spent() -> dict[str, Decimal]:
        return {f"{row.scope} {row.key}": row.spent_usd for row in Spend.objects.all()}

    before = await in_db(spent)
    replay = await again.take(turn, plans(PLAN), calls("lookup_order", LOOK_UP), says(ANSWER))
    after = await in_db(spent)
    assert replay.cost_usd > 0
    assert replay.input_tokens > 0
    moved = {name: usd - before.get(name, Decimal(0)) for name, usd in after.items() if usd != before.get(name)}
    assert moved == {"system all": replay.cost_usd}
    assert not await in_db(Spend.objects.filter(reserved_usd__gt=0).exists)


async def test_the_hour_that_is_spent_stops_a_replay(rig: Rig, again: Again) -> None:
    turn = await taken(rig)
    await in_db(Spend.objects.filter(scope="system").update, spent_usd=Decimal("49.999999"))
    replay = await again.take(turn, plans(PLAN))
    assert (replay.state, again.asked) == ("failed", [])
    assert "system limit" in replay.error


async def test_the_hours_limit_in_force_stops_a_replay(rig: Rig, again: Again) -> None:
    turn = await taken(rig)
    await in_db(SystemLimit.objects.create, period="hour", usd=Decimal("1.00"))
    await in_db(Spend.objects.filter(scope="system").update, spent_usd=Decimal("0.999999"))
    forget()
    replay = await again.take(turn, plans(PLAN))
    assert (replay.state, again.asked) == ("failed", [])
    assert "system limit" in replay.error


async def test_a_model_that_fails_is_seen(rig: Rig, again: Again) -> None:
    turn = await taken(rig)
    replay = await again.take(turn)  # the script is at its end: 400
    assert replay.outcome == "escalated"
    assert any(step["status"] == "failed" for step in replay.steps)


def test_a_model_answers_every_call() -> None:
    for wanted, one in (("large", "claude-opus-5-5"), ("claude-haiku-5-5", "claude-haiku-5-5")):
        client = client_for(wanted)
        assert {client.model_id(tier) for tier in client._config.models} == {one}
    assert len({client_for("").model_id(tier) for tier in client._config.models}) == 3


async def test_a_dead_workers_replay_fails_and_is_charged(rig: Rig) -> None:
    turn = await taken(rig)

    def died() -> Replay:
        hour = Spend.objects.get(scope="system")
        Spend.objects.filter(pk=hour.pk).update(spent_usd=0, reserved_usd=Decimal("0.02"))
        made = Replay.objects.create(
            turn=turn, state="running", reservation={"usd": "0.02", "rows": [["system", hour.key, hour.period]]}
        )
        Replay.objects.filter(pk=made.pk).update(created_at=made.created_at - timedelta(hours=1))
        Replay.objects.filter(pk=made.pk).update(started_at=made.created_at - timedelta(minutes=5))
        assert replays_repair() == 0  # it waited long for a worker, and runs since a moment ago
        Replay.objects.filter(pk=made.pk).update(started_at=made.created_at - timedelta(minutes=11))
        assert replays_repair() == 1
        assert spent_of("system", hour.key, hour.period) == Decimal("0.02")
        made.refresh_from_db()
        return made

    found = await in_db(died)
    assert (found.state, found.cost_usd, found.error) == ("failed", Decimal("0.02"), "The worker died.")


async def test_what_waits_for_a_worker_is_enqueued_once(rig: Rig, again: Again) -> None:
    turn = await taken(rig)

    def waiting() -> list[str]:
        long = django_rq.get_queue("long")
        long.empty()  # type: ignore[no-untyped-call]
        made = replay_enqueue(turn_id=turn.pk, staff=rig.cast.ops)
        Replay.objects.filter(pk=made.pk).update(created_at=made.created_at - timedelta(hours=1))
        found: list[str] = long.job_ids
        assert jobs_recover() == 0
        Job.objects.update(due_at=timezone.now())
        long.empty()  # type: ignore[no-untyped-call]  # Redis was emptied
        assert [jobs_recover() for _ in range(3)] == [1, 0, 0]
        assert long.job_ids == found
        long.empty()  # type: ignore[no-untyped-call]
        return found

    assert len(await in_db(waiting)) == 1
    [made] = await in_db(lambda: list(Replay.objects.all()))
    await run_replay(made.pk, rig.runner._model)
    ran = await in_db(lambda: Replay.objects.get())
    assert ran.started_at is not None
    assert ran.started_at > ran.created_at + timedelta(minutes=59)


async def test_summaries_and_drafts_are_replayed_as_such(rig: Rig, again: Again) -> None:
    conversation = await in_db(had, rig.cast, "Where is AP-100001? I paid 999.00")
    rig.model.add(says("They ask where AP-100001 is and say they paid 999.00."))
    summary = await made(rig, conversation, "summary")
    assert summary.turn is not None
    replay = await again.take(
        summary.turn, says("They ask where AP-100001 is and say they paid 999.00."), prompt="assist:file"
    )
    assert [again.asked[0][name] for name in ("system", "messages", "tools")] == [
        rig.model.asked[-1][name] for name in ("system", "messages", "tools")
    ]
    assert (replay.outcome, replay.notes, replay.text) == ("answered", [], summary.result)
    rig.model.add(says("I have looked it up for you."))
    draft = await made(rig, conversation, "draft")
    assert draft.turn is not None
    await in_db(message_post, conversation=conversation, client_message_id=uuid4(), text="It was 12.34 USD")
    replay = await again.take(draft.turn, says("You have paid 999.00 USD."), says("You have paid 999.00 USD."))
    assert "999" not in replay.text  # what only the customer claims is no evidence for a draft


def kinds_of(turn: Turn) -> list[str]:
    return list(turn.steps.order_by("index").values_list("kind", flat=True))


async def test_the_demo_model_replays_its_summaries_and_drafts(rig: Rig) -> None:
    rig.runner._model = client_of(FakeMessagesAPI(DemoModel()))
    conversation = await in_db(had, rig.cast, "Where is my order AP-100001?")
    for purpose in ("summary", "draft"):
        task = await made(rig, conversation, purpose)
        turn = task.turn
        assert turn is not None
        again = await in_db(replay_create, turn_id=turn.pk)
        replay = await run_replay(again.pk, client_of(FakeMessagesAPI(DemoModel())))
        assert (replay.state, replay.notes) == ("done", [])
        assert "plan" not in {step["kind"] for step in replay.steps}
        original = await in_db(kinds_of, turn)
        assert [step["kind"] for step in replay.steps] == original
        assert replay.text == task.result


async def test_a_rehearsal_finds_the_conversation_as_it_was(rig: Rig, again: Again) -> None:
    turn = await taken(rig)
    conversation = await in_db(Conversation.objects.get, pk=turn.conversation_id)
    await in_db(escalation_open, conversation=conversation, reason="asked")
    before = await in_db(counted)
    cancels = calls("cancel_order", {"order_number": "AP-100002", "reason": "too late"})
    hands_over = calls("escalate_to_human", {"reason": "legal", "summary": "A lawyer writes."})
    replay = await again.take(turn, plans(ACTING), cancels, hands_over, says("Please press Confirm on the card."))
    assert await in_db(counted) == before
    offered, escalated = [step for step in replay.steps if step["kind"] == "tool_call"]
    assert (offered["status"], escalated["status"]) == ("pending_confirmation", "success")
    assert escalated["output"]["escalation"]["position"] == 1


async def test_no_code_is_sent(rig: Rig, again: Again) -> None:
    conversation = await rig.begin()
    rig.model.add(plans(PLAN), says("Which e-mail address did you order with?"))
    turn = await rig.ask(conversation, "I would like to know everything about my account")
    before = await in_db(counted)
    asks = calls("verify_identity", {"email": "olivia.owner@example.com"})
    replay = await again.take(turn, plans(PLAN), asks, says("Please type the code into the form."))
    assert await in_db(counted) == before
    (sent,) = [step for step in replay.steps if step["kind"] == "tool_call"]
    assert (sent["how"], sent["status"], sent["output"]["state"]) == ("simulated", "success", "requested")


async def test_another_way_than_the_steps_taken_over_is_noted(rig: Rig, again: Again) -> None:
    turn = await taken(rig)
    await in_db(Turn.objects.filter(pk=turn.pk).update, path="fast")
    await in_db(Step.objects.filter(turn=turn, kind="plan").update, kind="observe", model="")
    replay = await again.take(turn, plans(PLAN), says("It has been delivered."), from_step=3)
    assert "From step" in replay.notes[0]
    assert len(again.asked) == 2
    assert all(step.get("how") != "taken over" for step in replay.steps)
