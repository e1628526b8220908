"""From the engine's request to the body of the Messages API: cache marks, thinking, structured output, valid blocks."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence

from support_agent.agent import pictures
from support_agent.agent.types import INVALID_JSON, Block, Json, ModelRequest

_CACHED: Json = {"type": "ephemeral"}
# Dense text (numbers, JSON, other scripts) has at least this many UTF-8 bytes a token, English about four.
_BYTES_PER_TOKEN = 2.5
_TOOL_USE_OVERHEAD_TOKENS = 600  # what the API adds to a prompt with tools


def build_body(request: ModelRequest, model: str) -> Json:
    """The arguments of `messages.create`. Breakpoints: after the system prompt, after what later turns send again, and,
    where tools may be asked for, after the last message."""
    body: Json = {"model": model, "max_tokens": request.max_tokens, "messages": _outgoing(request)}
    if request.system.strip():
        body["system"] = [{"type": "text", "text": request.system, "cache_control": _CACHED}]
    if request.tools:
        body["tools"] = list(request.tools)
    if request.output_schema is not None:
        body["output_config"] = {"format": {"type": "json_schema", "schema": request.output_schema}}
    if thinking := thinking_for(model):
        body["thinking"] = thinking
    return body


def thinking_for(model: str) -> Json | None:
    """The least thinking a model allows: someone waits for the first word. None leaves it to the API."""
    if "haiku-5" in model:
        return {"type": "disabled"}
    if "sonnet-5-5" in model:
        return {"type": "between_tools"}
    if "opus-5" in model:
        return {"type": "adaptive"}
    return None


def prompt_tokens_bound(request: ModelRequest) -> int:
    """An upper bound of the prompt's tokens, from its size in bytes; a picture's bytes say nothing of its tokens."""
    messages, shown = _apart(request.messages)
    sent = [request.system, *_json(messages), *_json(request.tools), *_json([request.output_schema or ""])]
    size = sum(len(part.encode()) for part in sent)
    extra = (_TOOL_USE_OVERHEAD_TOKENS if request.tools else 0) + shown * pictures.MAX_TOKENS
    return math.ceil(size / _BYTES_PER_TOKEN) + extra


def _apart(messages: Sequence[Json]) -> tuple[list[Json], int]:
    """(the messages without their pictures, how many those are)."""
    bare = [
        message
        if isinstance(message["content"], str)
        else {**message, "content": [block for block in message["content"] if block["type"] != "image"]}
        for message in messages
    ]
    blocks = [block for message in messages if not isinstance(message["content"], str) for block in message["content"]]
    return bare, sum(block["type"] == "image" for block in blocks)


def _json(parts: Iterable[object]) -> Iterable[str]:
    return (json.dumps(part, ensure_ascii=False) for part in parts)


def _outgoing(request: ModelRequest) -> list[Json]:
    """The messages as the API takes them back: no blank texts, no marks of ours, cache breakpoints where they pay.

    A prefix is found again only where a breakpoint ended it. The turn's own notices and tool results are not in the
    next turn's history, so what lasts has a breakpoint of its own; the rest is read again by the calls after a tool's
    result, and without tools by nobody: writing it would cost a quarter more for nothing.
    """
    cleaned = [{**message, "content": _clean(message["content"])} for message in request.messages]
    lasting = [message for message in cleaned[: request.lasting] if message["content"]]
    own = [message for message in cleaned[request.lasting :] if message["content"]]
    return [*_marked_at_end(lasting), *(_marked_at_end(own) if request.tools else own)]


def _marked_at_end(messages: list[Json]) -> list[Json]:
    return [*messages[:-1], *({**last, "content": _marked(last["content"])} for last in messages[-1:])]


def _clean(content: str | Sequence[Block]) -> str | list[Block]:
    if isinstance(content, str):
        return content if content.strip() else []
    return [_without_mark(block) for block in content if not _is_blank(block)]


def _is_blank(block: Block) -> bool:
    return block["type"] == "text" and not block["text"].strip()


def _without_mark(block: Block) -> Block:
    return {key: value for key, value in block.items() if key != INVALID_JSON} if INVALID_JSON in block else block


def _marked(content: str | list[Block]) -> list[Block]:
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return [*blocks[:-1], {**blocks[-1], "cache_control": _CACHED}]
