"""A strict fake of the Messages API: it refuses what the real one refuses, counts and caches tokens like it, streams
like it, and fails on demand. The words come from a responder: a ScriptedModel, a function, or another transport.

    api = FakeMessagesAPI(ScriptedModel(says("Hello.")))
    client = build_client(..., api_key=api.api_key, transport=api.transport())      # or tests.fakes.server.serving(api)
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import httpx2

from support_agent.agent.types import Usage
from support_agent.llm.pricing import cost_usd
from support_agent.llm.sse import CONTENT_TYPE, encode_error, encode_message_stream
from tests.fakes.cache import PromptCache
from tests.fakes.message_rules import sign
from tests.fakes.normal import Json, merged, prefix, tokens
from tests.fakes.refusal import Refused
from tests.fakes.replies import Reply
from tests.fakes.rules import check_body, check_headers

Responder = Callable[[Json], Reply | Awaitable[Reply]]


class Cut(Exception):
    """Break the connection here."""


@dataclass(slots=True)
class Answer:
    """An HTTP response; its body ends, or raises Cut."""

    status: int
    headers: dict[str, str]
    body: AsyncIterator[bytes]


@dataclass(slots=True)
class Served:
    """One accepted request and what the API charges for it, as far as the answer got."""

    body: Json
    usage: Usage = field(default_factory=Usage)

    @property
    def charged_usd(self) -> Decimal:
        return cost_usd(self.body["model"], self.usage)


class FakeMessagesAPI:
    """`served` and `refusals` say what came in; `requests` are the accepted bodies. By `clock` the cache forgets."""

    def __init__(
        self, responder: Responder, *, api_key: str = "test-key", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.responder, self.api_key = responder, api_key
        self.served: list[Served] = []
        self.refusals: list[Refused] = []
        self._cache = PromptCache(clock)
        self._ids = itertools.count(1)

    @property
    def requests(self) -> list[Json]:
        return [served.body for served in self.served]

    @property
    def charged_usd(self) -> Decimal:
        return sum((served.charged_usd for served in self.served), Decimal())

    def transport(self) -> httpx2.AsyncBaseTransport:
        return _Transport(self)

    async def answer(self, headers: dict[str, str], raw: bytes) -> Answer:
        """One POST /v1/messages; header names in lower case."""
        try:
            check_headers(headers, self.api_key)
            body = _parse(raw)
            check_body(body)
        except Refused as refused:
            self.refusals.append(refused)
            return _error(refused.status, refused.kind, refused.message)
        served = Served(body)
        self.served.append(served)
        said = self.responder(body)
        reply = await said if inspect.isawaitable(said) else said
        if reply.status != 200:
            return _error(reply.status, reply.error, reply.message, dict(reply.headers))
        if reply.end == "hang" and reply.after == 0:
            await asyncio.Event().wait()
        message = self._message(body, reply)
        if body.get("stream"):
            return Answer(200, {"content-type": CONTENT_TYPE}, _stream(reply, message, served))
        return _whole(reply, message, served)

    def _message(self, body: Json, reply: Reply) -> Json:
        content = [_signed(block, body) for block in reply.content]
        written = sum(tokens(block) for block in reply.content)
        return {
            "id": f"msg_{next(self._ids):06d}",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": content,
            "stop_reason": reply.reason,
            "stop_sequence": None,
            "usage": {**self._cache.usage(body), "output_tokens": written},
        }


def _parse(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        raise Refused("the request body is not valid JSON") from None


def _signed(block: Json, body: Json) -> Json:
    """Thinking gets its signature; its words are left out unless the request asks for a summary."""
    if block["type"] != "thinking":
        return block
    shown = block["thinking"] if (body.get("thinking") or {}).get("display") == "summarized" else ""
    before = prefix(body, len(merged(body["messages"])))
    return {"type": "thinking", "thinking": shown, "signature": sign(body["model"], before, shown)}


async def _stream(reply: Reply, message: Json, served: Served) -> AsyncIterator[bytes]:
    """The reply's events, to its end; what was sent is charged, even when the client walks away."""
    for sent, event in enumerate(encode_message_stream(message, chunk_chars=reply.chunk_chars)):
        if reply.end != "whole" and sent == reply.after:
            if reply.end == "cut":
                yield event[: len(event) // 2]
                raise Cut
            if reply.end == "error":
                yield encode_error(reply.error, reply.message)
            if reply.end == "hang":
                await asyncio.Event().wait()
            return
        if reply.pace_s:
            await asyncio.sleep(reply.pace_s)
        served.usage = _charged(message, event, served.usage)
        yield event


def _charged(message: Json, event: bytes, before: Usage) -> Usage:
    """The bill after this event: the prompt at the start, then what was written, the exact sum at the end."""
    full = _usage(message)
    if event.startswith(b"event: message_delta"):
        return full
    written = before.output_tokens
    if event.startswith(b"event: content_block_delta"):
        delta = json.loads(event.split(b"data: ", 1)[1])["delta"]
        written += tokens("".join(value for key, value in delta.items() if key not in {"type", "signature"}))
    return replace(full, output_tokens=min(written, full.output_tokens))


def _usage(message: Json) -> Usage:
    """What a whole answer costs; a refusal before any output is free."""
    if message["stop_reason"] == "refusal" and not message["content"]:
        return Usage()
    usage = message["usage"]
    return Usage(
        usage["input_tokens"],
        usage["output_tokens"],
        usage["cache_read_input_tokens"],
        usage["cache_creation_input_tokens"],
    )


def _whole(reply: Reply, message: Json, served: Served) -> Answer:
    raw = json.dumps(message).encode()
    served.usage = _usage(message)

    async def body() -> AsyncIterator[bytes]:
        if reply.end == "whole":
            yield raw
            return
        yield raw[: len(raw) // 2]
        raise Cut

    return Answer(200, {"content-type": "application/json"}, body())


def _error(status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> Answer:
    raw = json.dumps({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}).encode()

    async def body() -> AsyncIterator[bytes]:
        yield raw

    return Answer(status, {"content-type": "application/json", "request-id": "req_1", **(headers or {})}, body())


class _Transport(httpx2.AsyncBaseTransport):
    """The fake within the process."""

    def __init__(self, api: FakeMessagesAPI) -> None:
        self._api = api

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = await self._api.answer(headers, await request.aread())
        return httpx2.Response(answer.status, headers=answer.headers, content=_uncut(answer.body))


async def _uncut(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A cut as a real connection shows it."""
    try:
        async for piece in body:
            yield piece
    except Cut:
        raise httpx2.RemoteProtocolError("peer closed connection without sending complete message body") from None
