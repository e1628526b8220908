"""Requests in one form, so that what the API takes for equal is equal here: prefixes, hashes, token counts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

Json = dict[str, Any]
Block = dict[str, Any]
PICTURE = 1_300


def blocks(content: str | Sequence[Block] | None) -> list[Block]:
    """Content as a list of blocks; a string is one text block."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return list(content or [])


def merged(messages: Sequence[Json]) -> list[Json]:
    """The messages with neighbours of the same role put together, as the API does."""
    turns: list[Json] = []
    for message in messages:
        if turns and turns[-1]["role"] == message["role"] != "system":
            turns[-1]["content"] += blocks(message["content"])
        else:
            turns.append({"role": message["role"], "content": blocks(message["content"])})
    return turns


def plain(node: Any) -> Any:
    """The same without cache marks, which move from call to call."""
    if isinstance(node, dict):
        return {key: plain(value) for key, value in node.items() if key != "cache_control"}
    return [plain(item) for item in node] if isinstance(node, list) else node


def digest(*parts: Any) -> str:
    raw = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(raw.encode()).hexdigest()


def tokens(value: Any) -> int:
    """A made-up but steady count: a token for every four characters of JSON, at least one."""
    if isinstance(value, dict) and value.get("type") == "image":
        return PICTURE  # what it shows, not what it weighs
    raw = value if isinstance(value, str) else json.dumps(plain(value), sort_keys=True, ensure_ascii=False)
    return max(1, -(-len(raw) // 4))


def prefix(body: Json, upto: int) -> str:
    """The identity of everything before message `upto` of the merged messages."""
    return digest(
        plain(body.get("tools") or []), plain(blocks(body.get("system"))), plain(merged(body["messages"])[:upto])
    )


def segments(body: Json) -> Iterator[tuple[Block, str]]:
    """Every block in cache order (tools, system, messages), with where it stands."""
    for tool in body.get("tools") or []:
        yield tool, "tool"
    for block in blocks(body.get("system")):
        yield block, "system"
    for turn in merged(body["messages"]):
        for block in turn["content"]:
            yield block, turn["role"]
