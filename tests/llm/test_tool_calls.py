from __future__ import annotations

from typing import Any

import pytest

from support_agent.agent.types import INVALID_JSON, Json, ModelReply
from tests.fakes.replies import Reply, calls, says, text, tool_use
from tests.llm.conftest import SEARCH, MakeRig, MakeWiredRig, ask


def answered(reply: ModelReply, result: str = '{"status": "success"}') -> list[Json]:
    """The history after a tool call, as the engine appends it."""
    results = [{"type": "tool_result", "tool_use_id": use["id"], "content": result} for use in reply.tool_uses]
    question = {"role": "user", "content": "Where is my order?"}
    return [question, {"role": "assistant", "content": reply.content}, {"role": "user", "content": results}]


async def test_arguments_are_put_together_from_their_pieces(rig: MakeRig) -> None:
    arguments: dict[str, Any] = {"query": "return a tent — “open box” 📦", "deep": {"list": [1, 2.5, None, True]}}
    at = rig(calls("search_knowledge_base", arguments, id="toolu_1", before=[text("Let me look.")]))
    reply = await at.client.call(ask(tools=[SEARCH]), at.show)
    assert reply.tool_uses == [
        {"type": "tool_use", "id": "toolu_1", "name": "search_knowledge_base", "input": arguments}
    ]
    assert reply.stop_reason == "tool_use"
    assert "".join(at.shown) == "Let me look."


async def test_parallel_calls_and_calls_without_arguments(rig: MakeRig) -> None:
    at = rig(Reply([tool_use("search_knowledge_base", {}, id="a"), tool_use("search_knowledge_base", "", id="b")]))
    reply = await at.client.call(ask(tools=[SEARCH]))
    assert [(use["id"], use["input"]) for use in reply.tool_uses] == [("a", {}), ("b", {})]
    assert all(INVALID_JSON not in use for use in reply.tool_uses)


@pytest.mark.parametrize("raw", ['{"query": "half', "[1, 2]", '"just words"', "{'query': 1}"])
async def test_arguments_that_are_no_json_object_are_marked_and_never_sent_back(rig: MakeRig, raw: str) -> None:
    at = rig(calls("search_knowledge_base", raw), says("Sorry, let me try that again."))
    reply = await at.client.call(ask(tools=[SEARCH]))
    (use,) = reply.tool_uses
    assert use["input"] == {}
    assert use[INVALID_JSON] == raw
    await at.client.call(ask(tools=[SEARCH], messages=answered(reply, '{"status": "invalid_arguments"}')))
    assert at.api.refusals == []
    assert INVALID_JSON not in at.model.asked[1]["messages"][1]["content"][0]


async def test_a_tool_loop_is_accepted_by_the_api(wired: MakeWiredRig) -> None:
    at = await wired(calls("search_knowledge_base", {"query": "returns"}), says("30 days."))
    reply = await at.client.call(ask(tools=[SEARCH]))
    assert (await at.client.call(ask(tools=[SEARCH], messages=answered(reply)))).text == "30 days."
    assert at.api.refusals == []


async def test_blank_texts_are_never_sent_back(rig: MakeRig) -> None:
    blank = Reply([text("\n\n"), tool_use("search_knowledge_base", {"query": "x"}), text(" ")])
    at = rig(blank, says("Done."))
    reply = await at.client.call(ask(tools=[SEARCH]))
    assert reply.content[0] == text("\n\n")
    await at.client.call(ask(tools=[SEARCH], messages=answered(reply)))
    assert at.api.refusals == []
    assert [block["type"] for block in at.model.asked[1]["messages"][1]["content"]] == ["tool_use"]


async def test_a_message_without_anything_in_it_is_left_out(rig: MakeRig) -> None:
    at = rig(says("Yes?"))
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": " "},
        {"role": "user", "content": "Hm"},
    ]
    await at.client.call(ask(messages=messages))
    assert at.api.refusals == []
