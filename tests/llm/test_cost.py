"""Promise I6: recorded cost equals what the API charged, cache, failed and cut calls included."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from support_agent.agent.types import Json, ModelFailure, Plan, Tier, spend_before
from tests.fakes.normal import tokens
from tests.fakes.replies import Reply, overloaded, refuses, says, text, thinking
from tests.llm.conftest import SEARCH, MakeRig, MakeWiredRig, ask

LONG_SYSTEM = "You help the customers of a shop that sells gear for the outdoors. " * 60
LONG_WORDS = "Your parcel is on its way and should be with you by Friday at the latest. " * 10


async def test_every_reply_costs_what_the_api_charged(rig: MakeRig) -> None:
    at = rig(says("One."), says(LONG_WORDS), Reply([thinking("Let me see. " * 30), text("Three.")]))
    total = Decimal()
    for tier in Tier:
        total += (await at.client.call(ask(tier=tier, system=LONG_SYSTEM))).spend.cost_usd
        assert total == at.api.charged_usd


async def test_tools_and_system_are_read_from_the_cache_by_every_conversation(rig: MakeRig) -> None:
    at = rig(says("One."), says("Two."))
    first = (await at.client.call(ask("Where is it?", system=LONG_SYSTEM, tools=[SEARCH]))).spend.usage
    other = (await at.client.call(ask("What is a return?", system=LONG_SYSTEM, tools=[SEARCH]))).spend.usage
    assert first.cache_read_tokens == 0
    assert first.cache_write_tokens > 512
    assert other.cache_read_tokens > 512
    assert other.cache_read_tokens + other.cache_write_tokens + other.input_tokens == other.prompt_tokens
    assert other.cache_write_tokens < 50


async def test_the_next_call_of_a_turn_reads_everything_before_it(rig: MakeRig) -> None:
    at = rig(says("One."), says("Two."))
    history: list[Json] = [{"role": "user", "content": LONG_WORDS}, {"role": "system", "content": "date: today"}]
    turn: dict[str, Any] = {"system": LONG_SYSTEM, "tools": [SEARCH]}
    first = (await at.client.call(ask(**turn, messages=history))).spend.usage
    history += [{"role": "assistant", "content": "One."}, {"role": "user", "content": "And now?"}]
    second = (await at.client.call(ask(**turn, messages=history))).spend.usage
    assert second.cache_read_tokens == first.cache_write_tokens > 0
    assert second.cache_write_tokens < 30
    assert at.api.refusals == []


@pytest.mark.parametrize("tools", [[], [SEARCH]])
async def test_the_next_turn_reads_the_history_of_the_one_before(rig: MakeRig, tools: list[Json]) -> None:
    """Notices and tool results are the turn's own: the next one has other words after the customer's."""
    at = rig(says("One."), says("Two."), says("Three."))
    history: list[Json] = []
    prompts, reads = [], []
    for words in ("Where is it?", "And the other?", "Thanks."):
        history.append({"role": "user", "content": f"{words} {LONG_WORDS}"})
        said = [*history, {"role": "system", "content": f"it is now just after {words}"}]
        given: dict[str, Any] = {"system": LONG_SYSTEM, "messages": said, "tools": tools, "lasting": len(history)}
        usage = (await at.client.call(ask(**given))).spend.usage
        prompts.append(usage.prompt_tokens)
        reads.append(usage.cache_read_tokens)
        history.append({"role": "assistant", "content": f"I see. {LONG_WORDS}"})
    notice = 20
    assert reads[0] == 0
    assert prompts[0] - notice < reads[1] < prompts[0]
    assert prompts[1] - notice < reads[2] < prompts[1]


async def test_what_no_call_sends_again_is_not_written_to_the_cache(rig: MakeRig) -> None:
    """Writing costs a quarter more than reading once: a summary's material and a plan's notices are read once."""
    at = rig(says("A summary."), says("A plan."))
    summary = (await at.client.call(ask(LONG_WORDS * 5, lasting=0))).spend.usage
    assert (summary.cache_write_tokens, summary.cache_read_tokens) == (0, 0)
    messages: list[Json] = [{"role": "user", "content": LONG_WORDS * 5}, {"role": "system", "content": LONG_WORDS}]
    plan = (await at.client.call(ask(system=LONG_SYSTEM, messages=messages))).spend.usage
    assert plan.cache_write_tokens > 512
    assert plan.input_tokens == tokens({"type": "text", "text": LONG_WORDS})


async def test_a_refusal_before_any_output_costs_nothing(rig: MakeRig) -> None:
    at = rig(refuses(), refuses("I was"))
    assert (await at.client.call(ask())).spend.cost_usd == 0
    assert (await at.client.call(ask())).spend.cost_usd == at.api.charged_usd > 0


@pytest.mark.parametrize("end", ["cut", "closed", "error"])
async def test_a_cut_call_keeps_its_exact_input_and_an_estimated_output(rig: MakeRig, end: str) -> None:
    at = rig(says(LONG_WORDS).ends(end, after=20))  # type: ignore[arg-type]
    with pytest.raises(ModelFailure) as failed:
        await at.client.call(ask(), at.show)
    spend, charged = failed.value.spend, at.api.served[0].usage
    assert spend.estimated
    assert spend.usage.prompt_tokens == charged.prompt_tokens > 0
    assert 0.5 < spend.usage.output_tokens / charged.output_tokens < 2


async def test_a_line_that_breaks_before_a_word_costs_about_its_prompt(wired: MakeWiredRig) -> None:
    at = await wired(says("Hello.").ends("cut", after=0), max_retries=0)
    with pytest.raises(ModelFailure) as failed:
        await at.client.call(ask())
    assert failed.value.spend.estimated
    assert failed.value.spend.usage.input_tokens > 0


async def test_failed_attempts_count_towards_the_reply(rig: MakeRig) -> None:
    at = rig(overloaded(), says("").ends("closed", after=1), says("Here."))
    reply = await at.client.call(ask(), at.show)
    assert len(at.api.served) == 3
    one = at.api.served[2].usage.prompt_tokens
    assert reply.spend.usage.prompt_tokens == 2 * one
    assert reply.spend.estimated


async def test_a_stop_from_on_text_ends_the_stream_and_keeps_the_spend(wired: MakeWiredRig) -> None:
    at = await wired(says(LONG_WORDS, pace_s=0.004))
    seen = 0

    class Stopped(Exception):
        pass

    async def stop_at_three(_: str) -> None:
        nonlocal seen
        seen += 1
        if seen == 3:
            raise Stopped

    with pytest.raises(Stopped) as stopped:
        await at.client.call(ask(), stop_at_three)
    spend = spend_before(stopped.value)
    assert spend.estimated
    assert spend.cost_usd > 0
    assert seen == 3
    await asyncio.sleep(0.2)
    assert at.api.served[0].usage.output_tokens < tokens(LONG_WORDS) / 2, "the API stopped writing, too"


async def test_a_cancelled_call_keeps_its_spend(wired: MakeWiredRig) -> None:
    at = await wired(overloaded(), says(LONG_WORDS).ends("hang", after=6))
    kept: list[Decimal] = []
    begun = asyncio.Event()

    async def show(_: str) -> None:
        begun.set()

    async def turn() -> None:
        try:
            await at.client.call(ask(), show)
        except asyncio.CancelledError as error:
            kept.append(spend_before(error).cost_usd)
            raise

    task = asyncio.create_task(turn())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert kept[0] > 0
    at.model.add(says("Fine."))
    assert (await at.client.call(ask())).text == "Fine.", "the client works on"


@pytest.mark.parametrize("schema", [None, Plan.model_json_schema()], ids=["streamed", "whole"])
async def test_a_call_cancelled_before_a_word_costs_about_its_prompt(wired: MakeWiredRig, schema: Json | None) -> None:
    at = await wired(says("Never.").ends("hang"))
    task = asyncio.create_task(at.client.call(ask(output_schema=schema)))
    async with asyncio.timeout(60):
        while not at.api.served:  # noqa: ASYNC110  # the request arrives by a real connection
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as cancelled:
        await task
    spend = spend_before(cancelled.value)
    assert spend.estimated
    assert spend.cost_usd > 0


@pytest.mark.parametrize("tier", list(Tier))
async def test_the_worst_case_bounds_what_a_call_costs(rig: MakeRig, tier: Tier) -> None:
    words = "數字 12 345,67 € и слова 📦 {'a': [1, 2]} " * 100
    at = rig(says("x" * 2000))
    request = ask(words, tier=tier, system=LONG_SYSTEM, tools=[SEARCH], max_tokens=600)
    reserved = at.client.worst_case_usd(request)
    assert 0 < (await at.client.call(request)).spend.cost_usd < reserved
