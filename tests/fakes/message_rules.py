"""What the API refuses of `messages`: order, pairing, blank texts, thinking blocks out of their place."""

from __future__ import annotations

import base64
import re
from typing import Any

from tests.fakes.normal import Block, Json, blocks, digest, merged, prefix
from tests.fakes.refusal import demand

FIELDS = {
    "text": {"text", "citations"},
    "thinking": {"thinking", "signature"},
    "redacted_thinking": {"data"},
    "tool_use": {"id", "name", "input", "caller", "toolset_name"},
    "tool_result": {"tool_use_id", "content", "is_error", "toolset_name"},
    "image": {"source"},
    "document": {"source", "title", "context", "citations"},
    "search_result": {"source", "title", "content", "citations"},
}
BY_ROLE = {
    "user": {"text", "tool_result", "image", "document", "search_result"},
    "assistant": {"text", "thinking", "redacted_thinking", "tool_use"},
    "system": {"text"},
}
IMAGES = {
    "image/png": {b"\x89PNG"},
    "image/jpeg": {b"\xff\xd8\xff\xe0", b"\xff\xd8\xff\xe1", b"\xff\xd8\xff\xdb"},
    "image/webp": {b"RIFF"},
    "image/gif": {b"GIF8"},
}
TOOL_USE_ID = re.compile(r"^[a-zA-Z0-9_-]+$")


def sign(model: str, before: str, words: str) -> str:
    """The signature of a thinking block: bound to the model, the exact prefix before its message, and its words."""
    return f"sig-{digest('secret', model, before, words)}"


def check_messages(body: Json) -> None:
    messages = body["messages"]
    demand(isinstance(messages, list) and bool(messages), "messages: at least one message is required")
    for index, message in enumerate(messages):
        _check_message(f"messages.{index}", message)
    _check_order(messages)
    turns = merged(messages)
    _check_pairing(turns)
    used = any(block["type"] in {"tool_use", "tool_result"} for turn in turns for block in turn["content"])
    demand(not used or bool(body.get("tools")), "Requests with tool_use or tool_result blocks must define tools")
    for index, turn in enumerate(turns):
        if turn["role"] == "assistant":
            _check_thinking_blocks(body, index, turn["content"])


def _check_message(at: str, message: Any) -> None:
    demand(isinstance(message, dict) and set(message) <= {"role", "content"}, f"{at}: only role and content")
    role, content = message.get("role"), message.get("content")
    demand(role in BY_ROLE, f"{at}.role: must be user, assistant or system")
    demand(isinstance(content, str | list) and bool(content), f"{at}: must have non-empty content")
    for block in blocks(content):
        _check_block(at, block, role)


def _check_block(at: str, block: Any, role: str) -> None:
    kind = str(block.get("type")) if isinstance(block, dict) else ""
    demand(kind in FIELDS, f"{at}: unknown block type {kind!r}")
    demand(kind in BY_ROLE[role], f"{at}: {kind} blocks are not allowed in {role} messages")
    extra = set(block) - FIELDS[kind] - {"type", "cache_control"}
    demand(not extra, f"{at}.{kind}: Extra inputs are not permitted: {sorted(extra)}")
    if kind == "text":
        demand(isinstance(block.get("text"), str), f"{at}: text must be a string")
        demand(bool(block["text"].strip()), f"{at}: text content blocks must contain non-whitespace text")
    elif kind == "image":
        _check_image(at, block.get("source"))
    elif kind == "tool_use":
        demand(isinstance(block.get("input"), dict), f"{at}.tool_use.input: Input should be a valid dictionary")
        demand(bool(TOOL_USE_ID.match(str(block.get("id", "")))), f"{at}.tool_use.id: must match {TOOL_USE_ID.pattern}")
    elif kind == "tool_result":
        _check_result(at, block.get("content"))


def _check_image(at: str, source: Any) -> None:
    demand(isinstance(source, dict), f"{at}.image.source: Field required")
    demand(source.get("type") == "base64", f"{at}.image.source: only base64 is used here, not {source.get('type')!r}")
    demand(set(source) == {"type", "media_type", "data"}, f"{at}.image.source: Extra inputs are not permitted")
    demand(source["media_type"] in IMAGES, f"{at}.image.source.base64.media_type: {source['media_type']!r}")
    demand(len(source["data"]) <= 5 * 1024 * 1024, f"{at}.image.source.base64: image exceeds 5 MB maximum")
    try:
        content = base64.b64decode(source["data"], validate=True)
    except ValueError:
        content = b""
    demand(content[:4] in IMAGES[source["media_type"]], f"{at}.image.source.base64.data: could not process image")


def _check_result(at: str, content: Any) -> None:
    parts = blocks(content) if isinstance(content, list) else []
    found = [part for part in parts if part.get("type") == "search_result"]
    demand(len(found) in {0, len(parts)}, f"{at}: search_result blocks cannot be mixed with others in a tool_result")
    citing = {bool((part.get("citations") or {}).get("enabled")) for part in found}
    demand(len(citing) <= 1, f"{at}: citations must be enabled on all search results or none")
    for part in parts:
        if part.get("type") == "text":
            demand(bool(str(part.get("text", "")).strip()), f"{at}: text content blocks must be non-empty")


def _check_order(messages: list[Json]) -> None:
    roles = [message["role"] for message in messages]
    demand(roles[0] == "user", f"messages: first message must use the user role, not {roles[0]}")
    for index, role in enumerate(roles):
        if role != "system":
            continue
        demand(roles[index - 1] == "user", "messages: a system message must follow a user message")
        after = roles[index + 1] if index + 1 < len(roles) else "assistant"
        demand(after == "assistant", "messages: a system message must be followed by an assistant message or be last")
    demand(roles[-1] != "assistant", "messages: this model does not support assistant message prefill")


def _check_pairing(turns: list[Json]) -> None:
    spoken = [turn for turn in turns if turn["role"] != "system"]
    seen: set[str] = set()
    for index, turn in enumerate(spoken):
        uses = [block["id"] for block in turn["content"] if block["type"] == "tool_use"]
        demand(len(set(uses)) == len(uses) and not seen & set(uses), "messages: `tool_use` ids must be unique")
        seen.update(uses)
        following = spoken[index + 1]["content"] if index + 1 < len(spoken) else []
        answers = _leading_results(following) if uses else []
        missing = set(uses) - set(answers)
        demand(not missing, f"`tool_use` ids without `tool_result` blocks immediately after: {sorted(missing)}")
        demand(len(answers) == len(set(answers)), "each `tool_use` must have a single result")
        before = {b["id"] for b in spoken[index - 1]["content"] if b["type"] == "tool_use"} if index else set()
        results = {block["tool_use_id"] for block in turn["content"] if block["type"] == "tool_result"}
        demand(results <= before, f"unexpected `tool_use_id` in `tool_result` blocks: {sorted(results - before)}")


def _leading_results(content: list[Block]) -> list[str]:
    """The results at the front; one after a text does not count."""
    ids: list[str] = []
    for block in content:
        if block["type"] != "tool_result":
            break
        ids.append(block["tool_use_id"])
    return ids


def _check_thinking_blocks(body: Json, index: int, content: list[Block]) -> None:
    for block in content:
        if block["type"] == "thinking":
            expected = sign(body["model"], prefix(body, index), block.get("thinking", ""))
            demand(
                block.get("signature") == expected,
                f"messages.{index}: thinking blocks cannot be modified, and the conversation before them "
                "must be the one they were written in",
            )
