"""Every way out of a turn: what the customer reads, who takes over, and that accounts are closed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from support_agent.agent.errors import TurnLost
from support_agent.agent.types import ModelFailure, OnText, Outcome, StepKind
from support_agent.agent.words import HANDOVER, UNSURE
from tests.agent.ports import World, asks, breaks, plans, reply, says, text, use, world

ORDER = {"status": "success", "order": {"order_number": "AP-104233", "total": "180.00", "currency": "USD"}}
LOOK = reply(text("Let me look."), use(order_number="AP-104233"))


def prefix_law(at: World, final: str) -> None:
    assert final.startswith(at.shown), (at.shown, final)


def reason_of(outcome: Outcome) -> str:
    return outcome.escalation.reason if outcome.escalation else ""


async def test_an_answer_from_records() -> None:
    at = world(plans(), LOOK, says("It came to $180.00."), results={"lookup_order": ORDER})
    outcome = await at.run()
    assert (outcome.state, outcome.text) == ("answered", "Let me look.\n\nIt came to $180.00.")
    assert at.shown == outcome.text
    assert at.kinds() == ["plan:ok", "model_call:ok", "tool_call:success", "model_call:ok", "critic:ok"]


async def test_a_blank_beginning_leaves_one_blank_line() -> None:
    at = world(plans(), LOOK, says("\n\n  It came to $180.00. \n"), results={"lookup_order": ORDER})
    outcome = await at.run()
    assert at.shown == outcome.text == "Let me look.\n\nIt came to $180.00."


async def test_small_talk_is_one_call() -> None:
    at = world(says("Hello."))
    outcome = await at.run(asks("hi"))
    assert (outcome.text, at.kinds()) == ("Hello.", ["observe:ok", "model_call:ok", "critic:ok"])


async def test_an_invention_is_withdrawn_and_asked_again() -> None:
    at = world(
        plans(),
        LOOK,
        says("Good news. You get $99.00."),
        says("It came to 180.00 USD."),
        results={"lookup_order": ORDER},
    )
    outcome = await at.run()
    assert outcome.text == "Let me look.\n\nIt came to 180.00 USD."
    assert at.shown == outcome.text
    assert at.messages == ["Let me look.\n\nGood news.", outcome.text]
    assert "“$99.00”" in at.asked[-1].messages[-1]["content"]


async def test_three_inventions_lead_to_a_person() -> None:
    at = world(plans(), *[says(f"You get ${n}.00.") for n in (1, 2, 3)])
    outcome = await at.run()
    assert (outcome.state, outcome.text) == ("escalated", UNSURE)
    assert reason_of(outcome) == "unsure"
    assert at.step(StepKind.ESCALATE).output["flagged"] is True


@pytest.mark.parametrize("silent", [reply(), says(" \n "), reply(stop="pause_turn"), says("So we", stop="max_tokens")])
async def test_silence_and_half_a_sentence_are_no_answers(silent: Any) -> None:
    at = world(plans(), LOOK, silent, says("It came to 180.00."), results={"lookup_order": ORDER})
    outcome = await at.run()
    assert outcome.text == at.shown == "Let me look.\n\nIt came to 180.00."
    assert (await world(plans(), *[silent] * 3).run()).text == UNSURE


async def test_a_paused_turn_with_words_is_an_answer() -> None:
    assert (await world(plans(), says("That is all.", stop="pause_turn")).run()).text == "That is all."


@pytest.mark.parametrize(("stop", "reason"), [("refusal", "safety"), ("model_context_window_exceeded", "budget")])
async def test_the_model_cannot_go_on(stop: str, reason: str) -> None:
    at = world(plans(), LOOK, says("I will tell you. But", stop=stop))
    outcome = await at.run()
    assert outcome.text == f"Let me look.\n\n{HANDOVER}"
    assert reason_of(outcome) == reason
    assert at.shown == "Let me look."
    assert len(at.asked) == 3  # asking again is of no use


async def test_a_broken_stream_is_withdrawn_and_asked_again() -> None:
    at = world(plans(), breaks("First. Second"), says("Third."))
    assert (await at.run()).text == "Third."
    assert at.messages == ["First.", "Third."]


async def test_a_stream_that_always_breaks_leads_to_a_person() -> None:
    at = world(plans(), *[breaks("First. Second")] * 3)
    outcome = await at.run()
    assert outcome.text == HANDOVER
    assert reason_of(outcome) == "model_failing"
    assert at.shown == ""


async def test_the_next_tier_takes_over_without_the_first_ones_thinking() -> None:
    thought = {"type": "thinking", "thinking": "", "signature": "s"}
    at = world(
        plans(), reply(thought, use()), breaks(kind="overloaded"), reply(thought, use(id="b", x=1)), says("Done.")
    )
    assert (await at.run()).state == "answered"
    assert [request.tier.value for request in at.asked] == ["small", "medium", "medium", "large", "large"]
    assert thought in at.asked[2].messages[2]["content"]
    assert thought not in at.asked[3].messages[2]["content"]
    assert thought in at.asked[4].messages[4]["content"]


async def test_our_own_bug_is_not_tried_on_another_tier() -> None:
    at = world(plans(), breaks(kind="rejected"))
    outcome = await at.run()
    assert (outcome.state, outcome.text, len(at.asked)) == ("escalated", HANDOVER, 2)


@pytest.mark.parametrize("before", [0, 1, 2])
async def test_a_limit_leads_to_a_person(before: int) -> None:
    at = world(plans(), LOOK, says("x"), limit="turn", limit_at=before)
    outcome = await at.run()
    assert reason_of(outcome) == "budget"
    assert outcome.text.endswith(HANDOVER)
    prefix_law(at, outcome.text)


async def test_the_same_call_again_and_again() -> None:
    at = world(plans(), *[reply(use(id=str(n))) for n in range(4)])
    outcome = await at.run()
    assert reason_of(outcome) == "loop"
    assert at.kinds().count("observe:notice") == 1
    assert [m["role"] for m in at.asked[-1].messages[-2:]] == ["user", "system"]


async def test_no_turn_has_more_steps_than_the_cap() -> None:
    at = world(plans(), *[reply(use(id=str(n), n=n)) for n in range(40)])
    outcome = await at.run(tries_of_one_tool=99)
    assert reason_of(outcome) == "loop"
    assert 23 <= len(at.records) <= 25
    many = world(plans(), reply(*[use(id=str(n), n=n) for n in range(40)]))
    outcome = await many.run()
    assert reason_of(outcome) == "loop"
    assert many.tool_calls == []
    stubborn = world(plans(), *[reply(use(f"tool{n}", str(n))) for n in range(9)], *[says("$1.00")] * 40)
    await stubborn.run(revisions=30)
    assert len(stubborn.records) <= 25


async def test_a_tool_that_hands_over_needs_no_second_escalation() -> None:
    at = world(
        plans(), reply(use("escalate_to_human", reason="asked")), says("A colleague will answer here."),
        results={"escalate_to_human": {"status": "success", "escalation": {"team": "billing"}}},
    )  # fmt: skip
    outcome = await at.run()
    assert (outcome.state, outcome.escalation) == ("escalated", None)
    assert outcome.text == "A colleague will answer here."


@pytest.mark.parametrize("status", ["error", "degraded"])
async def test_a_hand_over_whose_tool_fails_is_made_good(status: str) -> None:
    wish = use("escalate_to_human", reason="safety", summary="A stove exploded.")
    words = "Call your local emergency number first. I could not reach anybody from here."
    failed = {"status": status, "retryable": False, "message": "This could not be fetched just now."}
    at = world(plans(), reply(wish), says(words), results={"escalate_to_human": failed})
    outcome = await at.run()
    assert (outcome.state, reason_of(outcome)) == ("escalated", "safety")
    assert outcome.escalation is not None
    assert outcome.escalation.summary == "A stove exploded."
    assert outcome.text == f"{words}\n\n{HANDOVER}"


async def test_a_hand_over_that_the_desk_refuses_is_not_forced() -> None:
    refused = {"status": "error", "retryable": False, "reason": "conflict", "message": "A person is here already."}
    wish = use("escalate_to_human", reason="asked", summary="Again.")
    at = world(plans(), reply(wish), says("Somebody is here already."), results={"escalate_to_human": refused})
    outcome = await at.run()
    assert (outcome.state, outcome.escalation) == ("answered", None)


async def test_two_thousand_characters_in_all() -> None:
    long = "It is so. " * 150
    at = world(plans(), reply(text(long), use()), says(long), says("Done."))
    outcome = await at.run()
    assert outcome.text == at.shown == f"{long.strip()}\n\nDone."
    full = world(plans(), reply(text("It is so. " * 195), use()), *[says("$1.00")] * 3)
    outcome = await full.run()
    assert outcome.text == UNSURE
    assert full.shown == ""


async def test_a_stop_keeps_what_was_shown_and_its_sources() -> None:
    hit = {"n": 1, "title": "Returns", "url": "/help/returns/"}

    async def interrupted(on_text: OnText | None) -> Any:
        assert on_text is not None
        await on_text("Returns are easy [1]. They ")
        at.stop = "stop"
        await on_text("take time.")

    at = world(plans(), reply(use("search_knowledge_base")), interrupted)
    at.results = {"search_knowledge_base": {"status": "success", "results": [hit]}}
    outcome = await at.run()
    assert (outcome.state, outcome.text, at.shown) == ("answered", "", "Returns are easy [1].")
    assert list(outcome.sources) == [hit]
    assert at.records[-1].status == "cut"


@pytest.mark.parametrize("why", ["taken_over", "closed", "human"])
async def test_ended_by_someone_else(why: str) -> None:
    outcome = await world(plans(), stop=why).run()
    assert (outcome.state, outcome.text, outcome.escalation) == ("escalated", "", None)


async def test_a_runner_that_shuts_down_decides_nothing() -> None:
    with pytest.raises(TurnLost):
        await world(plans(), stop="shutdown").run()


async def _cancelled(at: World, why: str) -> asyncio.Task[Any]:
    """A turn that hangs in its second call, cancelled there."""
    hangs = asyncio.Event()

    async def hang(on_text: OnText | None) -> Any:
        hangs.set()
        await asyncio.Event().wait()

    at.lines += [plans(), hang]
    task = asyncio.ensure_future(at.run())
    await hangs.wait()
    at.stop = why
    task.cancel()
    task.cancel()
    return task


async def test_a_stop_ends_even_a_call_that_hangs() -> None:
    at = world()
    outcome = await (await _cancelled(at, "stop"))
    assert (outcome.state, outcome.text) == ("answered", "")
    assert at.records[-1].status == "cut"


@pytest.mark.parametrize("why", ["", "taken_over"])
async def test_a_cancelled_turn_closes_its_accounts(why: str) -> None:
    at = world()
    task = await _cancelled(at, why)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert at.reserved == []
    assert at.records[-1].status == "cut"


@pytest.mark.parametrize("moment", range(12))
async def test_cancelled_at_any_moment_no_cent_is_lost(moment: int) -> None:
    at = world(plans(), LOOK, says("It came to 180.00."), results={"lookup_order": ORDER})
    task = asyncio.ensure_future(at.run())
    for _ in range(moment):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len([r for r in at.records if r.spend.cost_usd]) == len(at.asked)


async def test_a_turn_lost_while_its_last_words_are_shown_keeps_its_cost() -> None:
    at = world(plans(), says("Done."))

    async def lost(text: str) -> None:
        raise TurnLost

    at.show = lost  # type: ignore[method-assign]
    with pytest.raises(TurnLost):
        await at.run()
    assert at.charged == sum(record.spend.cost_usd for record in at.records) > 0
    assert len(at.records) == 3


async def test_a_bug_passes_through_with_closed_accounts() -> None:
    async def bug(on_text: OnText | None) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await world(plans(), bug).run()


async def test_a_failure_says_what_it_was() -> None:
    at = world(*[breaks(kind="timeout")] * 2)
    await at.run()
    failed = at.step(StepKind.PLAN)
    assert (failed.status, failed.error) == ("failed", str(ModelFailure("timeout", "it broke")))


async def test_a_failing_tier_leaves_the_next_only_what_a_minute_leaves() -> None:
    at = world(breaks(kind="timeout"), says("Hello."))
    await at.run(asks("hi"), failing_s=20.0)
    assert [request.tier for request in at.asked] == ["small", "medium"]
    assert at.asked[1].timeout_s < 20.0
    hopeless = world(breaks(kind="timeout"))
    outcome = await hopeless.run(asks("hi"), failing_s=4.0)
    assert (outcome.state, len(hopeless.asked)) == ("escalated", 1)
