"""The demo model as a transport: HTTP requests of the Messages API in, its answers out, paced like a model's."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2

from support_agent.llm.demo import classifier
from support_agent.llm.demo.brain import respond
from support_agent.llm.sse import CONTENT_TYPE, encode_message_stream

Json = dict[str, Any]
CHARS_PER_TOKEN = 4
PICTURE_TOKENS = 1_200
CACHE_MINIMUM_TOKENS = 512
CACHE_SECONDS = 300.0
CHUNK_CHARS = 18


class DemoTransport(httpx2.AsyncBaseTransport):
    """Answers `POST …/v1/messages` by itself; anything else is a 404. `words_per_second` 0 means without any delay."""

    def __init__(self, *, words_per_second: float = 60.0, first_token_ms: float = 150.0) -> None:
        self._word_s = 1.0 / words_per_second if words_per_second > 0 else 0.0
        self._first_s = first_token_ms / 1000 if words_per_second > 0 else 0.0
        self._cached: dict[str, float] = {}
        classifier.load()  # now rather than with the first customer

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method != "POST" or not request.url.path.endswith("/v1/messages"):
            return _problem(404, "not_found_error", f"no such path: {request.url.path}")
        try:
            body = json.loads(await request.aread())
        except ValueError:
            return _problem(400, "invalid_request_error", "the body is not JSON")
        if not isinstance(body, dict) or not body.get("messages"):
            return _problem(400, "invalid_request_error", "messages: at least one message is required")
        message = self._message(body)
        if body.get("stream"):
            return httpx2.Response(
                200, headers={"content-type": CONTENT_TYPE}, stream=_Paced(message, self._first_s, self._word_s)
            )
        await asyncio.sleep(self._first_s)
        return httpx2.Response(200, json=message)

    def _message(self, body: Json) -> Json:
        content, stop_reason = respond(body)
        digest = hashlib.sha256(json.dumps([body.get("messages"), content], sort_keys=True).encode()).hexdigest()
        return {
            "id": f"msg_demo{digest[:20]}",
            "type": "message",
            "role": "assistant",
            "model": body.get("model", "demo"),
            "content": content,
            "stop_reason": stop_reason,
            "stop_sequence": None,
            "usage": self._usage(body, content),
        }

    def _usage(self, body: Json, content: list[Json]) -> Json:
        """Token counts by length; tools and system count as cached once seen with a cache mark in the last minutes."""
        prefix = json.dumps([body.get("model"), body.get("tools"), body.get("system")])
        prefix_tokens, cached, written = _count(prefix), 0, 0
        if "cache_control" in prefix and prefix_tokens >= CACHE_MINIMUM_TOKENS:
            key, now = hashlib.sha256(prefix.encode()).hexdigest(), time.monotonic()
            self._cached = {known: seen for known, seen in self._cached.items() if now - seen < CACHE_SECONDS}
            cached, written = (prefix_tokens, 0) if key in self._cached else (0, prefix_tokens)
            self._cached[key] = now
        bare = [_without_pictures(message) for message in body["messages"]]
        rest = (
            _count(json.dumps(bare)) + PICTURE_TOKENS * _pictures(body["messages"]) + prefix_tokens - cached - written
        )
        return {
            "input_tokens": rest,
            "output_tokens": sum(_count(block.get("text") or json.dumps(block.get("input"))) for block in content),
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": cached,
        }


class _Paced(httpx2.AsyncByteStream):
    """The message's events, a pause before the first words and after each piece of text."""

    def __init__(self, message: Json, first_s: float, word_s: float) -> None:
        self._message, self._first_s, self._word_s = message, first_s, word_s

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._first_s:
            await asyncio.sleep(self._first_s)
        for event in encode_message_stream(self._message, chunk_chars=CHUNK_CHARS):
            yield event
            if self._word_s and b"text_delta" in event:
                await asyncio.sleep(self._word_s * CHUNK_CHARS / 6)

    async def aclose(self) -> None:
        return None


def _count(text: str) -> int:
    return max(1, len(text) // CHARS_PER_TOKEN)


def _without_pictures(message: Json) -> Json:
    if not isinstance(message.get("content"), list):
        return message
    return {**message, "content": [block for block in message["content"] if block.get("type") != "image"]}


def _pictures(messages: list[Json]) -> int:
    contents = [message["content"] for message in messages if isinstance(message.get("content"), list)]
    return sum(block.get("type") == "image" for content in contents for block in content)


def _problem(status: int, kind: str, message: str) -> httpx2.Response:
    return httpx2.Response(status, json={"type": "error", "error": {"type": kind, "message": message}})
