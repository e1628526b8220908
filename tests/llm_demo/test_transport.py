"""The demo model under the real SDK: streamed and whole messages, tools, structured plans, usage, pacing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import anthropic
import pytest
from anthropic.types import Message, ToolUseBlock

from support_agent.agent.prompts import prompt
from support_agent.agent.types import Plan
from support_agent.llm.demo import DemoTransport
from tests.llm_demo.shop import VERIFIED

Json = dict[str, Any]
MODEL = "claude-haiku-5-5"
TOOLS: list[Json] = [
    {"name": name, "description": name * 60, "input_schema": {"type": "object", "properties": {}}}
    for name in ("search_knowledge_base", "lookup_customer", "lookup_order", "track_shipment", "escalate_to_human")
]


@pytest.fixture
async def api() -> AsyncIterator[anthropic.AsyncAnthropic]:
    http = anthropic.DefaultAsyncHttpxClient(transport=DemoTransport(words_per_second=0))
    async with anthropic.AsyncAnthropic(api_key="demo", max_retries=0, http_client=http) as client:
        yield client


def asking(text: str, **more: Any) -> Json:
    messages = [{"role": "user", "content": text}, {"role": "system", "content": VERIFIED}]
    return {
        "model": MODEL,
        "max_tokens": 1500,
        "system": prompt("assistant").text,
        "tools": TOOLS,
        "messages": messages,
        **more,
    }


async def ask(api: anthropic.AsyncAnthropic, request: Json) -> Message:
    message = await api.messages.create(**request)
    assert isinstance(message, Message)
    return message


def said_in(message: Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def tool_use(message: Message) -> ToolUseBlock:
    (use,) = [block for block in message.content if block.type == "tool_use"]
    return use


async def test_text_streams_in_pieces_and_ends(api: anthropic.AsyncAnthropic) -> None:
    async with api.messages.stream(**asking("hello")) as stream:
        pieces = [piece async for piece in stream.text_stream]
        message = await stream.get_final_message()
    assert len(pieces) > 3
    assert "".join(pieces).startswith("Hello")
    assert message.stop_reason == "end_turn"
    assert message.model == MODEL
    assert message.usage.output_tokens > 5


async def test_a_tool_call_streams(api: anthropic.AsyncAnthropic) -> None:
    async with api.messages.stream(**asking("where is AP-104233")) as stream:
        message = await stream.get_final_message()
    assert message.stop_reason == "tool_use"
    use = tool_use(message)
    assert (use.name, use.input) == ("track_shipment", {"order_number": "AP-104233"})


async def test_the_loop_goes_on_from_the_result(api: anthropic.AsyncAnthropic) -> None:
    request = asking("where is AP-104233")
    first = await ask(api, request)
    use = tool_use(first)
    result = {"status": "success", "order_number": "AP-104233", "order_status": "paid", "shipments": []}
    request["messages"] += [
        {"role": "assistant", "content": [use.to_dict()]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use.id, "content": json.dumps(result)}]},
        {"role": "system", "content": "reminder: be short"},
    ]
    answer = await ask(api, request)
    assert answer.stop_reason == "end_turn"
    assert "AP-104233 is paid" in said_in(answer)


@pytest.mark.parametrize(
    ("text", "subject", "acts"),
    [
        ("cancel AP-104301", "orders", True),
        ("cancel my order", "orders", False),
        ("refund AP-104120 because it was late and i paid twice", "billing", True),
        ("change my phone to +1 503 555 0123", "account", True),
        ("how do i reset my password", "account", False),
        ("my watch does not sync", "technical", False),
        ("where is my invoice", "billing", False),
        ("😀😀", "orders", False),
    ],
)
async def test_plans_are_valid_and_open_the_right_tools(
    api: anthropic.AsyncAnthropic, text: str, subject: str, acts: bool
) -> None:
    schema = {"type": "json_schema", "schema": Plan.model_json_schema()}
    message = await ask(api, asking(text, output_config={"format": schema}))
    plan = Plan.model_validate_json(said_in(message))
    assert plan.subject == subject
    assert any(step.type == "take_action" for step in plan.steps) is acts


async def test_another_schema_gets_a_valid_least_value(api: anthropic.AsyncAnthropic) -> None:
    schema = {
        "type": "object",
        "additionalProperties": False,
        "required": ["summary", "kind", "open"],
        "properties": {"summary": {"type": "string"}, "kind": {"enum": ["a", "b"]}, "open": {"type": "array"}},
    }
    form = {"format": {"type": "json_schema", "schema": schema}}
    message = await ask(api, asking("hello", output_config=form))
    assert json.loads(said_in(message)) == {"summary": "", "kind": "a", "open": []}


async def test_usage_counts_the_cached_prefix_apart(api: anthropic.AsyncAnthropic) -> None:
    system = [{"type": "text", "text": "You help. " * 400, "cache_control": {"type": "ephemeral"}}]
    first = (await ask(api, asking("hello", system=system))).usage
    second = (await ask(api, asking("thanks a lot", system=system))).usage
    assert first.cache_read_input_tokens == 0
    assert first.cache_creation_input_tokens == second.cache_read_input_tokens
    assert (second.cache_read_input_tokens or 0) > 900
    assert second.cache_creation_input_tokens == 0


async def test_a_revision_drops_what_was_objected_to(api: anthropic.AsyncAnthropic) -> None:
    request = asking("where is AP-104233")
    first = await ask(api, request)
    use = tool_use(first)
    parcel = {"tracking_number": "ALD1000000233", "carrier": "Cascade Post", "status": "in_transit"}
    parcel["estimated_delivery"] = "2026-11-24"
    result = {"status": "success", "order_number": "AP-104233", "order_status": "shipped", "shipments": [parcel]}
    request["messages"] += [
        {"role": "assistant", "content": [use.to_dict()]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use.id, "content": json.dumps(result)}]},
    ]
    said = said_in(await ask(api, request))
    assert "24 November 2026" in said
    objection = "Your last answer was not sent to the customer, because:\n- “24 November 2026” is in no tool result"
    request["messages"].append({"role": "system", "content": objection})
    again = said_in(await ask(api, request))
    assert "24 November 2026" not in again
    assert "AP-104233" in again


async def test_what_is_no_message_is_refused(api: anthropic.AsyncAnthropic) -> None:
    with pytest.raises(anthropic.NotFoundError):
        await api.models.list()
    with pytest.raises(anthropic.BadRequestError):
        await api.messages.create(model=MODEL, max_tokens=10, messages=[])


async def test_words_come_at_the_pace_that_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("support_agent.llm.demo.transport.asyncio.sleep", sleep)
    http = anthropic.DefaultAsyncHttpxClient(transport=DemoTransport(words_per_second=60, first_token_ms=150))
    async with anthropic.AsyncAnthropic(api_key="demo", max_retries=0, http_client=http) as client:
        message = await _streamed(client, "hello")
    words = len(said_in(message).split())
    assert waits[0] == 0.15
    assert 0.7 < sum(waits[1:]) / (words / 60) < 1.4


async def _streamed(client: anthropic.AsyncAnthropic, text: str) -> Message:
    async with client.messages.stream(**asking(text)) as stream:
        return await stream.get_final_message()
