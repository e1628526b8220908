"""Messages in the shape of the conventions: a role and parts. Only for who asked for content; thinking is left out."""

from __future__ import annotations

from typing import Any

from support_agent.agent.types import StepRecord

Json = dict[str, Any]


def messages_in(record: StepRecord) -> list[Json]:
    """The newest messages of a call, as its step keeps them."""
    newest = record.input.get("newest", [])
    return [{"role": message["role"], "parts": _parts(message["content"])} for message in newest]


def messages_out(record: StepRecord) -> list[Json]:
    """The reply; a plan, which is no message, as its JSON."""
    if not record.output:
        return []
    content = record.output.get("content")
    parts = _parts(content) if content is not None else [{"type": "text", "content": str(record.output)}]
    return [{"role": "assistant", "parts": parts, "finish_reason": str(record.output.get("stop_reason", ""))}]


def _parts(content: Any) -> list[Json]:
    if isinstance(content, str):
        return [{"type": "text", "content": content}]
    return [part for block in content if (part := _part(block)) is not None]


def _part(block: Json) -> Json | None:
    match block.get("type"):
        case "text":
            return {"type": "text", "content": block["text"]}
        case "tool_use":
            return {"type": "tool_call", "id": block["id"], "name": block["name"], "arguments": block["input"]}
        case "tool_result":
            return {"type": "tool_call_response", "id": block["tool_use_id"], "response": block["content"]}
        case _:
            return None
