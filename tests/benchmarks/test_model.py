"""The fake model of the benchmark: the SDK takes it for the API, and the product's own engine lets its answer pass."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anthropic
import httpx2
import pytest

from support_agent.agent.gate import _END
from support_agent.agent.types import ModelReply, ModelRequest, OnText, Spend, Usage
from support_agent.llm.client import ModelClient, build_client
from tests.agent.ports import World, asks
from tests.benchmarks.serving import model_serving, wait_for
from tests.benchmarks.words import ANSWER, PLAN, answer_in

Json = dict[str, Any]
TAG = "#0123456789ab"
QUESTION = f"Where is my order AP-104233? {TAG}"
TOOLS: list[Any] = [
    {"name": name, "description": name, "input_schema": {"type": "object"}} for name in ("search", "track_shipment")
]
DELTAS, RATE = 30, 200.0


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with model_serving(small_ttft=0.05, medium_ttft=0.05, rate=RATE, deltas=DELTAS) as address:
        yield address


@pytest.fixture
async def api(url: str) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(api_key="k", base_url=url, max_retries=0) as client:
        httpx2.delete(f"{url}/calls")
        yield client


async def streamed(api: anthropic.AsyncAnthropic, **body: Any) -> tuple[Any, int, list[str]]:
    """(the message, how many text deltas it came in, the names of its events without repeats)."""
    deltas = 0
    names: list[str] = []
    async with api.messages.stream(model="claude-haiku-5-5", max_tokens=500, **body) as stream:
        async for event in stream:
            if event.type == "content_block_delta" and event.delta.type == "text_delta":
                deltas += 1
            if event.type.startswith(("message", "content")) and (not names or names[-1] != event.type):
                names.append(event.type)
        return await stream.get_final_message(), deltas, names


async def test_a_look_up_then_an_answer(api: anthropic.AsyncAnthropic, url: str) -> None:
    asked: list[Json] = [{"role": "user", "content": QUESTION}]
    first, _, names = await streamed(api, system="s" * 700, tools=TOOLS, messages=asked)
    use = first.content[0]
    assert (first.stop_reason, use.name, use.input) == ("tool_use", "track_shipment", {"order_number": "AP-104233"})
    order = ["message_start", "content_block_start", "content_block_delta", "content_block_stop"]
    assert names == [*order, "message_delta", "message_stop"]
    result = {"type": "tool_result", "tool_use_id": use.id, "content": "{}"}
    asked += [{"role": "assistant", "content": first.model_dump()["content"]}, {"role": "user", "content": [result]}]
    second, deltas, _ = await streamed(api, system="s" * 700, tools=TOOLS, messages=asked)
    assert (second.content[0].text, second.stop_reason, deltas) == (ANSWER, "end_turn", DELTAS)
    assert first.usage.cache_creation_input_tokens == second.usage.cache_read_input_tokens > 200
    told = httpx2.get(f"{url}/calls").json()
    assert told["next"] == 2
    assert [(call["key"], call["kind"]) for call in told["calls"]] == [(TAG, "tool"), (TAG, "answer")]
    assert [call["kind"] for call in httpx2.get(f"{url}/calls?after=1").json()["calls"]] == ["answer"]


async def test_a_plan_is_whole(api: anthropic.AsyncAnthropic, url: str) -> None:
    config: Any = {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    messages: Any = [{"role": "user", "content": [{"type": "text", "text": QUESTION}]}]
    reply = await api.messages.create(
        model="claude-haiku-5-5", max_tokens=500, messages=messages, output_config=config, tools=TOOLS
    )
    assert isinstance(reply.content[0], anthropic.types.TextBlock)
    assert PLAN["goal"] in reply.content[0].text
    assert httpx2.get(f"{url}/calls").json()["calls"][0]["kind"] == "plan"


async def test_the_pace_is_kept(api: anthropic.AsyncAnthropic, url: str) -> None:
    """Ten at once: no stream ends before its time, and the fake says when each part left."""
    words: Any = [{"role": "user", "content": "Hello."}]
    await asyncio.gather(*(streamed(api, messages=words) for _ in range(10)))
    calls = httpx2.get(f"{url}/calls").json()["calls"]
    assert len(calls) == 10
    sentence_at = answer_in(DELTAS).sentence_at
    for call in calls:
        assert call["key"] == ""
        assert call["ttft_s"] >= 0.049
        assert call["first_sentence"] - call["arrived"] >= 0.049 + sentence_at / RATE
        assert call["end"] - call["arrived"] >= 0.049 + (DELTAS - 1) / RATE


async def test_who_hangs_up_is_written_down(url: str) -> None:
    httpx2.delete(f"{url}/calls")
    port = int(url.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    body = b'{"model": "claude-haiku-5-5", "stream": true, "messages": []}'
    writer.write(b"POST /v1/messages HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    await writer.drain()
    await asyncio.sleep(0.02)
    writer.close()
    await asyncio.sleep(0.05)
    assert [call["end"] for call in httpx2.get(f"{url}/calls").json()["calls"]] == [None]
    wait_for(url)


def test_the_first_sentence_is_timed_by_the_delta_that_lets_it_pass() -> None:
    for deltas in (1, 7, 100, len(ANSWER)):
        reply = answer_in(deltas)
        sent = [len(ANSWER) * (at + 1) // deltas for at in range(deltas)]
        assert len(reply.deltas) == deltas
        assert _END.search(ANSWER[: sent[reply.sentence_at]])
        assert reply.sentence_at == 0 or not _END.search(ANSWER[: sent[reply.sentence_at - 1]])
    with pytest.raises(ValueError, match="deltas"):
        answer_in(len(ANSWER) + 1)


class Asked(World):
    """Scripted ports whose model is the real client in front of the fake."""

    client: ModelClient

    async def _model(self, request: ModelRequest, on_text: OnText | None = None) -> ModelReply:
        self.asked.append(request)
        reply = await self.client.call(request, on_text)
        return ModelReply(reply.model, reply.content, reply.stop_reason, Spend(Usage(), reply.spend.cost_usd), 1, 1)

    def schemas(self, names: Any) -> list[Json]:
        return [{"name": name, "description": name, "input_schema": {"type": "object"}} for name in names]


@pytest.mark.parametrize(
    ("words", "steps"),
    [
        (QUESTION, ["observe:ok"]),
        (f"I would like to know what is going on with AP-104233. {TAG}", ["plan:ok"]),
    ],
)
async def test_the_product_accepts_the_answer(url: str, words: str, steps: list[str]) -> None:
    at = Asked([])
    small, medium, large = (f"claude-{name}-5-5" for name in ("haiku", "sonnet", "opus"))
    at.client = build_client(api_key="k", base_url=url, small=small, medium=medium, large=large)
    try:
        outcome = await at.run(asks(words))
    finally:
        await at.client.aclose()
    assert (outcome.state, outcome.text, at.shown) == ("answered", ANSWER, ANSWER)
    assert at.kinds() == [*steps, "model_call:ok", "tool_call:success", "model_call:ok", "critic:ok"]
