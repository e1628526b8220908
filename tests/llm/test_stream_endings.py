"""Streams by the byte, through the client: what is kept of them, how they fail, and that each is closed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import anthropic
import httpx2
import pytest

from support_agent.agent.types import Json, ModelFailure, ModelReply
from support_agent.llm.client import ModelClient, ModelConfig
from support_agent.llm.failures import classify
from support_agent.llm.sse import CONTENT_TYPE, encode_error, encode_event, encode_message_stream
from tests.llm.conftest import MODELS, ask

WORDS = "Your parcel left us on Tuesday."
USAGE = {"input_tokens": 10, "output_tokens": 20, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 4}


def message(*content: Json) -> Json:
    return {"model": "claude-sonnet-5-5", "content": [*content], "stop_reason": "end_turn", "usage": USAGE}


SAID = list(encode_message_stream(message({"type": "text", "text": WORDS})))
BEGUN, REST = b"".join(SAID[:4]), b"".join(SAID[4:])
FIRST_WORDS = WORDS[:24]  # as far as BEGUN goes


class Body(httpx2.AsyncByteStream):
    """An answer in pieces: bytes, an exception to raise, or None to hang."""

    def __init__(self, *pieces: bytes | Exception | None) -> None:
        self._pieces, self.closed = pieces, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            if piece is None:
                await asyncio.Event().wait()
            yield piece or b""

    async def aclose(self) -> None:
        self.closed = True


class Heard:
    """A client that gets `body` for its answer, and what it showed."""

    def __init__(self, body: Body, **config: Any) -> None:
        self.body, self.shown = body, list[str]()
        transport = httpx2.MockTransport(self._answer)
        self.client = ModelClient(ModelConfig(models=MODELS, api_key="k", max_retries=0, **config), transport)
        http = anthropic.DefaultAsyncHttpxClient(transport=transport)
        self.sdk = anthropic.AsyncAnthropic(api_key="k", max_retries=0, http_client=http)

    def _answer(self, _: httpx2.Request) -> httpx2.Response:
        headers = {"content-type": CONTENT_TYPE, "retry-after": "7", "x-should-retry": "false"}
        return httpx2.Response(200, headers=headers, stream=self.body)

    async def show(self, text: str) -> None:
        self.shown.append(text)

    async def call(self, **fields: Any) -> ModelReply:
        return await self.client.call(ask(**fields), self.show)


def cited(raw: str) -> Json:
    return {
        "type": "content_block_delta",
        "index": 1,
        "delta": {"type": "citations_delta", "citation": json.loads(raw)},
    }


async def test_blocks_come_out_as_they_were_streamed() -> None:
    citation = '{"type": "of_tomorrow", "cited_text": "é📦", "page": null, "score": 1.50, "more": {"a": [1, true]}}'
    blocks: list[Json] = [
        {"type": "thinking", "thinking": "Hm … ✓", "signature": "sig/+=="},
        {"type": "text", "text": WORDS, "citations": [json.loads(citation)], "new_field": None},
        {"type": "redacted_thinking", "data": "x=="},
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}, "caller": {"type": "direct"}},
        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"url": "u", "page_age": None}]},
        {"type": "of_tomorrow", "at": "2026-01-02T03:04:05Z", "n": 12345678901234567890, "nested": [{"a": None}]},
        {"type": "tool_use", "id": "toolu_1", "name": "search", "input": {"query": "é"}, "extra": [1]},
    ]
    sent = b"".join(encode_message_stream(message(*blocks)))
    sent = sent.replace(b'"type": "message_delta"', b'"type": "of_tomorrow"}\n\ndata: {"type": "message_delta"')
    reply = await Heard(Body(sent)).call()
    assert json.dumps(reply.content) == json.dumps(blocks)
    usage = reply.spend.usage
    assert (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens) == (
        10,
        20,
        3,
        4,
    )


async def test_what_arrives_together_is_shown_at_once() -> None:
    at = Heard(Body(BEGUN, REST))
    reply = await at.call()
    assert at.shown == [FIRST_WORDS, WORDS[24:]]
    assert reply.ttft_ms is not None


@pytest.mark.parametrize("tail", [b"event: x\ndata: {\n\n", encode_event({"type": "content_block_delta"})])
async def test_nonsense_after_the_last_word_changes_nothing(tail: bytes) -> None:
    at = Heard(Body(BEGUN + b"".join(SAID[4:-1]) + tail))
    assert (await at.call()).text == WORDS == "".join(at.shown)
    assert at.body.closed


FAILURES: dict[str, bytes | Exception] = {
    "overloaded": encode_error("overloaded_error", "busy"),
    "an error of tomorrow": encode_error("of_tomorrow", "because"),
    "our own mistake": encode_error("invalid_request_error", "no"),
    "a gateway's words": b"event: error\ndata: upstream is gone\n\n",
    "JSON cut in half": b'event: content_block_delta\ndata: {"type": "cont\n\n',
    "not UTF-8": b'event: content_block_delta\ndata: {"type": "\xff"}\n\n',
    "a broken line": httpx2.ReadError("reset"),
    "a line that ended early": httpx2.RemoteProtocolError("incomplete"),
    "a silent line": httpx2.ReadTimeout("idle"),
}


@pytest.mark.parametrize("tail", FAILURES.values(), ids=FAILURES)
async def test_a_stream_fails_as_it_does_in_the_sdk(tail: bytes | Exception) -> None:
    theirs = Heard(Body(BEGUN, tail)).sdk
    with pytest.raises(Exception, match=r".*") as raised:
        async for _ in await theirs.messages.create(
            model="m", max_tokens=9, messages=[{"role": "user", "content": "?"}], stream=True
        ):
            pass
    expected = classify(raised.value, streaming=True)
    for pieces in ((BEGUN, tail), (BEGUN + tail,) if isinstance(tail, bytes) else (BEGUN, b": \n\n", tail)):
        at = Heard(Body(*pieces))
        with pytest.raises(ModelFailure) as failed:
            await at.call()
        found = failed.value
        assert (found.kind, found.retry_after_s) == (expected.kind, expected.retry_after_s)
        assert found.detail == expected.detail or expected.kind == "broken_stream"
        assert (found.text_shown, at.shown) == (True, [FIRST_WORDS]), "what came before is shown, so nobody tries again"
        assert found.spend.usage.input_tokens == 10
        assert found.spend.estimated
        assert at.body.closed


async def test_a_stream_out_of_the_clear_sky_is_broken() -> None:
    for body in (Body(), Body(b""), Body(b"\n\n"), Body(b"data: [1]\n\n"), Body(b"data: " + b"[" * 100_000 + b"\n\n")):
        with pytest.raises(ModelFailure) as failed:
            await Heard(body).call()
        assert failed.value.kind == "broken_stream"
        assert body.closed


async def test_it_is_closed_when_nobody_listens_any_more() -> None:
    at = Heard(Body(BEGUN, REST))

    async def stop(_: str) -> None:
        raise KeyError("ours")

    with pytest.raises(KeyError):
        await at.client.call(ask(), stop)
    assert at.body.closed


@pytest.mark.parametrize("before", [b"", SAID[0], BEGUN], ids=["nothing", "a start", "a word"])
async def test_it_is_closed_when_the_call_is_cancelled(before: bytes) -> None:
    at = Heard(Body(before, None))
    task = asyncio.create_task(at.call())
    await asyncio.sleep(0.05)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert at.body.closed


@pytest.mark.parametrize("before", [SAID[0], BEGUN], ids=["no first word", "no end"])
async def test_it_is_closed_when_its_time_is_over(before: bytes) -> None:
    at = Heard(Body(before, None), first_token_s=0.05)
    with pytest.raises(ModelFailure) as failed:
        await at.call(timeout_s=0.2)
    assert failed.value.kind == "timeout"
    assert at.body.closed


WHOLE: dict[str, Any] = {
    "no JSON": "<html>",
    "no object": [1],
    "no message": {"type": "error"},
    "no end": {**message(), "stop_reason": None},
    "content of another shape": {**message(), "content": [None]},
    "usage of another shape": {**message(), "usage": {"input_tokens": "many"}},
}


@pytest.mark.parametrize("answer", WHOLE.values(), ids=WHOLE)
async def test_a_whole_answer_that_is_no_message_is_broken(answer: Any) -> None:
    raw = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    with pytest.raises(ModelFailure) as failed:
        await Heard(Body(raw)).call(output_schema=schema)
    assert failed.value.kind == ("connection" if answer == "<html>" else "broken_stream")
