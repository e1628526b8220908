"""What a server answered, as data for the model: texts and structured content, within their size, without links."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from support_agent.agent.toolkit import Json, Status, ToolResult
from tickets.markdown import link_allowed

_LINK = re.compile(r"(?i)\b(?:[a-z][a-z0-9+.-]{1,20}://|www\.)[^\s<>\"'\])]*[^\s<>\"'\]).,;:!?]")
GONE = "[link removed]"
MAX_DEPTH, MAX_ITEMS = 12, 200


def result_of(content: Sequence[Mapping[str, Any]], structured: Any, *, is_error: bool, limit: int) -> ToolResult:
    """`content` as the protocol's blocks; structured content is taken before texts, and a text that is JSON as such."""
    texts = [str(block.get("text", "")) for block in content if block.get("type") == "text"]
    left = Counter(str(block.get("type"))[:20] for block in content if block.get("type") != "text")
    text = "\n".join(texts)[: 4 * limit]
    if is_error:
        message = _clean(text, 0)[:500] or "The other system answered with an error."
        return ToolResult(Status.ERROR, {"retryable": False, "message": message})
    value = structured if structured is not None else _parsed(text)
    data: Json = {"result": _fitting(_clean(value, 0), limit)}
    if left:
        data["left_out"] = ", ".join(f"{count} × {kind}" for kind, count in sorted(left.items()))
    return ToolResult(Status.SUCCESS, data)


def _parsed(text: str) -> Any:
    if text[:1] in "{[":
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text


def _fitting(value: Any, limit: int) -> Any:
    """What is too large becomes the head of its text: half of the room, as all texts that are cut."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return value if len(text) <= limit - 400 else f"{text[: limit // 2 - 300]} …"


def _clean(value: Any, depth: int) -> Any:
    """Without links to hosts we do not allow, and no deeper or wider than anything sensible is."""
    if isinstance(value, str):
        text = value.replace("\x00", "")  # PostgreSQL takes none
        return _LINK.sub(lambda found: found[0] if link_allowed(found[0]) else GONE, text)
    if isinstance(value, dict | list) and depth >= MAX_DEPTH:
        return "…"
    if isinstance(value, dict):
        return {
            str(key)[:100].replace("\x00", ""): _clean(one, depth + 1) for key, one in list(value.items())[:MAX_ITEMS]
        }
    if isinstance(value, list):
        return [_clean(one, depth + 1) for one in value[:MAX_ITEMS]]
    return value
