"""Every way in which a call can fail has its kind, and says what it cost."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from typing import Any

import httpx2
import pytest

from support_agent.agent.types import ModelFailure
from support_agent.llm.client import ModelClient, ModelConfig
from tests.fakes.replies import Reply, fails, hangs, says, text
from tests.llm.conftest import MODELS, MakeRig, MakeWiredRig, Rig, ask

WORDS = "Your parcel left us on Tuesday, and it should be with you by Friday at the latest."


async def failure(at: Rig, **fields: Any) -> ModelFailure:
    with pytest.raises(ModelFailure) as failed:
        await at.client.call(ask(**fields), at.show)
    return failed.value


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, "invalid_request_error", "rejected"),
        (401, "authentication_error", "rejected"),
        (402, "billing_error", "rejected"),
        (403, "permission_error", "rejected"),
        (404, "not_found_error", "rejected"),
        (413, "request_too_large", "rejected"),
        (422, "invalid_request_error", "rejected"),
        (408, "timeout_error", "timeout"),
        (409, "conflict_error", "server"),
        (429, "rate_limit_error", "rate_limited"),
        (500, "api_error", "server"),
        (503, "api_error", "server"),
        (504, "timeout_error", "timeout"),
        (529, "overloaded_error", "overloaded"),
    ],
)
async def test_an_error_response_has_the_kind_of_its_status(rig: MakeRig, status: int, error: str, kind: str) -> None:
    failed = await failure(rig(*[fails(status, error, "because")] * 3))
    assert (failed.kind, failed.detail) == (kind, f"{status} {error}: because")
    assert failed.spend.cost_usd == 0
    assert failed.attempts == (1 if kind == "rejected" else 3)
    assert failed.retryable == (kind != "rejected")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("overloaded_error", "overloaded"),
        ("rate_limit_error", "rate_limited"),
        ("api_error", "server"),
        ("timeout_error", "timeout"),
        ("invalid_request_error", "rejected"),
        ("something_new", "server"),
    ],
)
async def test_an_error_event_after_the_200_has_the_kind_of_its_type(
    wired: MakeWiredRig, error: str, kind: str
) -> None:
    at = await wired(says(WORDS).ends("error", after=6, error=error))
    failed = await failure(at)
    assert failed.kind == kind
    assert failed.text_shown
    assert failed.spend.estimated
    assert failed.spend.usage.input_tokens == at.api.served[0].usage.input_tokens


@pytest.mark.parametrize("end", ["cut", "closed"])
@pytest.mark.parametrize("after", [4, 5, 6])
async def test_a_stream_that_ends_before_its_message_is_broken(wired: MakeWiredRig, end: Any, after: int) -> None:
    at = await wired(says(WORDS).ends(end, after=after))
    failed = await failure(at)
    assert failed.kind == "broken_stream"
    assert failed.text_shown
    assert "".join(at.shown) == WORDS[: len("".join(at.shown))]


@pytest.mark.parametrize("end", ["cut", "closed"])
async def test_the_same_in_the_process(rig: MakeRig, end: Any) -> None:
    assert (await failure(rig(says(WORDS).ends(end, after=5)))).kind == "broken_stream"


async def test_a_stream_cut_after_its_last_word_is_whole(wired: MakeWiredRig) -> None:
    message_stop = 3 + 4 + 1 + 1  # start, block start, ping, four deltas, block stop, message delta
    at = await wired(says(WORDS).ends("cut", after=message_stop))
    reply = await at.client.call(ask(), at.show)
    assert reply.text == WORDS
    assert not reply.spend.estimated


async def test_no_first_token_in_time(wired: MakeWiredRig) -> None:
    failed = await failure(await wired(*[hangs()] * 3, first_token_s=0.05))
    assert (failed.kind, failed.attempts, failed.text_shown) == ("timeout", 3, False)


async def test_a_message_that_starts_and_says_nothing_is_no_first_token(wired: MakeWiredRig) -> None:
    failed = await failure(await wired(hangs(after=1), first_token_s=0.05, max_retries=0))
    assert failed.kind == "timeout"
    assert failed.spend.usage.input_tokens > 0


async def test_no_end_in_time(wired: MakeWiredRig) -> None:
    at = await wired(says(WORDS).ends("hang", after=6))
    failed = await failure(at, timeout_s=0.2)
    assert (failed.kind, failed.text_shown) == ("timeout", True)
    assert failed.duration_ms < 1500


async def test_a_silent_line_is_a_timeout(wired: MakeWiredRig) -> None:
    at = await wired(says(WORDS).ends("hang", after=6), idle_s=0.1)
    assert (await failure(at)).kind == "timeout"


async def test_nobody_there() -> None:
    client = ModelClient(ModelConfig(models=MODELS, api_key="k", base_url="http://127.0.0.1:9", max_retries=0))
    with pytest.raises(ModelFailure) as failed:
        await client.call(ask())
    await client.aclose()
    assert failed.value.kind == "connection"
    assert failed.value.retryable
    assert failed.value.spend.cost_usd == 0


async def test_a_line_that_breaks_once_the_request_is_sent_costs_about_its_prompt() -> None:
    async def read_and_break(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"Where is my order?")
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async with await asyncio.start_server(read_and_break, "127.0.0.1", 0) as server:
        base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        client = ModelClient(ModelConfig(models=MODELS, api_key="k", base_url=base_url, max_retries=0))
        with pytest.raises(ModelFailure) as failed:
            await client.call(ask())
        await client.aclose()
    assert failed.value.spend.estimated
    assert failed.value.spend.cost_usd > 0


@pytest.mark.parametrize("content_type", ["text/html", "application/json", "text/event-stream"])
@pytest.mark.parametrize("schema", [None, {"type": "object", "properties": {}, "additionalProperties": False}])
async def test_a_gateway_that_answers_something_else(content_type: str, schema: Any) -> None:
    def page(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": content_type}, content=b"<html>Sign in</html>")

    config = ModelConfig(models=MODELS, api_key="k", max_retries=0)
    client = ModelClient(config, httpx2.MockTransport(page))
    with pytest.raises(ModelFailure) as failed:
        await client.call(ask(output_schema=schema))
    await client.aclose()
    assert failed.value.kind in {"broken_stream", "connection"}


EVENTS = {
    "no type": {"foo": 1},
    "a delta of no block": {"type": "content_block_delta", "index": 7, "delta": {"type": "text_delta", "text": "x"}},
    "a delta of another kind": {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta"}},
    "a start without a message": {"type": "message_start"},
}


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
async def test_a_malformed_event_breaks_the_stream(event: dict[str, Any]) -> None:
    start = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}

    def answer(_: httpx2.Request) -> httpx2.Response:
        raw = "".join(f"event: some\ndata: {json.dumps(data)}\n\n" for data in (start, event))
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=raw)

    client = ModelClient(ModelConfig(models=MODELS, api_key="k", max_retries=0), httpx2.MockTransport(answer))
    with pytest.raises(ModelFailure) as failed:
        await client.call(ask())
    await client.aclose()
    assert failed.value.kind == "broken_stream"


async def test_a_wrong_key_is_told_apart(wired: MakeWiredRig) -> None:
    failed = await failure(await wired(says("never"), api_key="wrong"))
    assert failed.detail.startswith("401 authentication_error")


async def test_our_own_bug_is_not_hidden(rig: MakeRig) -> None:
    at = rig(Reply([text("Hello")]))

    async def broken(_: str) -> None:
        raise KeyError("ours")

    with pytest.raises(KeyError):
        await at.client.call(ask(), broken)
