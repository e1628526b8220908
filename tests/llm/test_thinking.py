from __future__ import annotations

from collections.abc import Callable

import pytest

from support_agent.agent.types import Json, ModelFailure, Tier
from tests.fakes.replies import Reply, says, text, thinking, tool_use
from tests.llm.conftest import SEARCH, MakeRig, MakeWiredRig, ask
from tests.llm.test_tool_calls import answered

LOOKS = [thinking("The customer wants to know … ✓"), tool_use("search_knowledge_base", {"query": "x"})]


async def test_thinking_blocks_go_back_byte_for_byte(wired: MakeWiredRig) -> None:
    at = await wired(Reply(LOOKS), Reply([thinking("More."), *LOOKS[1:]]), says("Here it is."))
    first = await at.client.call(ask(tools=[SEARCH]))
    assert [block["type"] for block in first.content] == ["thinking", "tool_use"]
    assert first.content[0]["signature"].startswith("sig-")
    second = await at.client.call(ask(tools=[SEARCH], messages=answered(first)))
    loop = [*answered(first), *answered(second)[1:]]
    assert second.tool_uses[0]["id"] == first.tool_uses[0]["id"], "the script repeats its block"
    second.content[1]["id"] = loop[-1]["content"][0]["tool_use_id"] = "toolu_other"
    assert (await at.client.call(ask(tools=[SEARCH], messages=loop))).text == "Here it is."
    assert at.api.refusals == []


def edited_question(messages: list[Json]) -> list[Json]:
    return [{"role": "user", "content": "Something else"}, *messages[1:]]


def altered_block(messages: list[Json]) -> list[Json]:
    block, *rest = messages[1]["content"]
    return [messages[0], {**messages[1], "content": [{**block, "thinking": "other"}, *rest]}, messages[2]]


@pytest.mark.parametrize("change", [edited_question, altered_block])
async def test_the_fake_refuses_thinking_out_of_its_place(
    rig: MakeRig, change: Callable[[list[Json]], list[Json]]
) -> None:
    at = rig(Reply(LOOKS), says("never"))
    reply = await at.client.call(ask(tools=[SEARCH]))
    with pytest.raises(ModelFailure, match="thinking blocks cannot be modified") as failed:
        await at.client.call(ask(tools=[SEARCH], messages=change(answered(reply))))
    assert failed.value.kind == "rejected"
    assert not failed.value.retryable


async def test_the_fake_refuses_thinking_of_another_model_or_toolset(rig: MakeRig) -> None:
    at = rig(Reply(LOOKS))
    reply = await at.client.call(ask(tools=[SEARCH]))
    for changed in ({"tier": Tier.LARGE, "tools": [SEARCH]}, {"tools": [SEARCH, {**SEARCH, "name": "other"}]}):
        with pytest.raises(ModelFailure, match="thinking blocks"):
            await at.client.call(ask(messages=answered(reply), **changed))


async def test_text_is_found_by_type_when_thinking_comes_first(rig: MakeRig) -> None:
    at = rig(Reply([thinking("Hm."), text("Yes.")]))
    reply = await at.client.call(ask(tier=Tier.LARGE), at.show)
    assert reply.text == "".join(at.shown) == "Yes."
