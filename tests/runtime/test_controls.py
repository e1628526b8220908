"""Switches and prompt versions: what staff turn takes effect at the next turn, with a reason and an audit entry."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from support_agent.models import Alert, Step, Switch, Turn
from support_agent.runtime import controls
from support_agent.runtime.breakers import check_system
from support_agent.runtime.controls import check_open, switch_off, switch_on, switch_override
from support_agent.runtime.prompting import prompt_activate, prompt_save, prompt_use_file
from tests.cast import Cast
from tests.fakes.replies import calls, plans, says
from tests.runtime.conftest import Rig, begin, post
from tests.runtime.test_answers import PLAN
from tickets.db import in_db
from tickets.errors import DeskError, NotAllowed, Paused
from tickets.models import AuditEntry, Conversation, Escalation
from tickets.services.escalations import escalation_open


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    controls.forget()
    yield
    controls.forget()


async def test_a_stopped_assistant_leaves_the_answer_to_people(rig: Rig) -> None:
    await in_db(switch_on, name="stop_assistant", staff=rig.cast.ops, reason="it invents prices")
    controls.forget()
    conversation = await rig.begin()
    turn = await rig.ask(conversation, "hello")
    assert turn.state == "escalated"
    assert rig.model.asked == []
    assert "switched off" in (await rig.answer(conversation))["text"]
    assert await in_db(lambda: Escalation.objects.filter(conversation=conversation, status="waiting").exists())


async def test_a_disabled_tool_is_neither_offered_nor_run(rig: Rig) -> None:
    await in_db(switch_on, name="disable_tool", tool="lookup_order", staff=rig.cast.ops, reason="wrong data")
    controls.forget()
    rig.model.add(plans(PLAN), calls("lookup_order", {"order_number": "AP-100001"}), says("I can't look that up now."))
    conversation = await rig.begin(rig.cast.owner)
    turn = await rig.ask(conversation, "Tell me everything about AP-100001, please, and take your time")
    assert "lookup_order" not in [tool["name"] for tool in rig.model.asked[1]["tools"]]
    assert await in_db(lambda: turn.steps.get(kind="tool_call").status) == "invalid_arguments"


async def test_pinned_to_the_small_model(rig: Rig) -> None:
    await in_db(switch_on, name="pin_small", staff=rig.cast.lead, reason="saving")
    controls.forget()
    rig.model.add(plans({**PLAN, "complexity": "complex"}), says("Which order do you mean?"))
    await rig.ask(await rig.begin(rig.cast.owner), "Tell me everything about my order, please, and take your time")
    assert {asked["model"] for asked in rig.model.asked} == {"claude-haiku-5-5"}


async def test_an_activated_prompt_speaks_from_the_next_turn_on(rig: Rig) -> None:
    version = await in_db(
        prompt_save, name="assistant", text="You answer in rhymes.", note="for fun", staff=rig.cast.lead
    )
    await in_db(prompt_activate, version=version, staff=rig.cast.lead, reason="It cannot wait.")
    controls.forget()
    rig.model.add(says("Hello."), says("Hello."))
    conversation = await rig.begin()
    turn = await rig.ask(conversation, "hello")
    assert rig.model.asked[0]["system"][0]["text"] == "You answer in rhymes."
    assert turn.prompt_version.startswith("assistant-db1-")
    await in_db(prompt_use_file, name="assistant", staff=rig.cast.lead)
    controls.forget()
    assert (await rig.ask(conversation, "hello")).prompt_version.startswith("assistant-2-")


def test_a_prompt_past_two_thousand_tokens_is_refused(cast: Cast) -> None:
    with pytest.raises(DeskError):
        prompt_save(name="assistant", text="word " * 2000, note="", staff=cast.lead)
    with pytest.raises(NotAllowed):
        prompt_save(name="assistant", text="word", note="", staff=cast.agent)


def test_a_switch_needs_a_role_and_a_reason_and_is_audited(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        switch_on(name="pause_new", staff=cast.agent, reason="because")
    with pytest.raises(DeskError):
        switch_on(name="pause_new", staff=cast.ops, reason=" ")
    switch_on(name="pause_new", staff=cast.ops, reason="maintenance")
    controls.forget()
    with pytest.raises(Paused) as paused:
        check_open()
    assert "help centre" in paused.value.message
    switch_off(name="pause_new", staff=cast.ops, reason="done")
    controls.forget()
    check_open()
    actions = AuditEntry.objects.order_by("created_at").values_list("action", flat=True)
    assert list(actions) == ["switch.on", "switch.off"]


def test_a_running_conversation_goes_on_while_new_ones_are_paused(cast: Cast) -> None:
    conversation = begin()
    switch_on(name="pause_new", staff=cast.ops, reason="maintenance")
    controls.forget()
    assert post(conversation, "still here").turn is not None


def escalated(n: int, reason: str) -> None:
    for _ in range(n):
        escalation_open(conversation=talking(), reason=reason)


def talking() -> Conversation:
    conversation = begin()
    post(conversation, "Hello")
    return conversation


def test_escalations_past_a_fifth_throttle_from_thirty_conversations_on(cast: Cast) -> None:
    escalated(8, "unsure")
    [talking() for _ in range(21)]
    assert check_system() == []  # 29 conversations are too few to judge
    talking()
    [trip] = check_system()
    assert trip.switch == "throttle_new"
    assert Switch.objects.get().source == "breaker"
    assert Alert.objects.filter(kind="breaker").count() == 1


def test_those_who_asked_for_a_person_do_not_count(cast: Cast) -> None:
    escalated(15, "asked")
    [talking() for _ in range(20)]
    assert check_system() == []


def test_a_breaker_closes_when_its_cause_is_gone_and_staff_may_override_it(cast: Cast) -> None:
    turn = post(begin(), "Hello").turn
    assert turn is not None
    Turn.objects.filter(pk=turn.pk).update(cost_usd=Decimal("51"))
    assert [trip.switch for trip in check_system()] == ["pause_new"]
    controls.forget()
    with pytest.raises(Paused):
        check_open()
    switch_override(switch=Switch.objects.get(), staff=cast.lead, reason="the bill is known")
    controls.forget()
    check_open()
    check_system()
    controls.forget()
    check_open()  # the override holds although the cause does
    Turn.objects.update(cost_usd=0)
    check_system()
    assert not Switch.objects.exists()


def test_failing_model_calls_pause_new_conversations(cast: Cast) -> None:
    turn = post(begin(), "Hello").turn
    assert turn is not None
    Step.objects.bulk_create(
        Step(turn=turn, index=n, kind="model_call", status="failed" if n % 2 else "ok") for n in range(20)
    )
    assert [trip.switch for trip in check_system()] == ["pause_new"]
    Step.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    assert check_system() == []


def test_an_acceptance_under_seventy_percent_alerts(cast: Cast) -> None:
    turn = post(begin(), "Hello").turn
    assert turn is not None
    verdicts = ["ok"] * 14 + ["failed"] * 5
    Step.objects.bulk_create(Step(turn=turn, index=n, kind="critic", status=s) for n, s in enumerate(verdicts))
    check_system()
    assert not Alert.objects.exists()
    Step.objects.bulk_create(Step(turn=turn, index=n, kind="critic", status="failed") for n in range(50, 53))
    check_system()
    assert Alert.objects.get().kind == "acceptance"
