"""Tool results: the desk's refusals in their words, size caps, and what the customer's click made of a proposal."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from support_agent.agent.toolkit import Status, ToolResult
from support_agent.models import ToolCall
from tickets.errors import DeskError, NotFound
from tickets.models import Action

Json = dict[str, Any]

# What the clicked action has come to, in a tool result's words.
SETTLED = {
    Action.State.DONE: Status.SUCCESS,
    Action.State.FAILED: Status.ERROR,
    Action.State.AWAITING_STAFF: Status.AWAITING_STAFF,
}


def settle_tool_call(action: Action) -> None:
    """The customer's click decided: the proposing call's row follows, in the click's own transaction."""
    status = SETTLED.get(Action.State(action.state))
    if status is not None:
        result = {"status": status.value, "receipt": action.receipt}
        ToolCall.objects.filter(action=action).update(status=status.value, result=result)


def refusal(error: DeskError) -> ToolResult:
    """What the desk says no to, in a tool result's words."""
    if isinstance(error, NotFound):
        return ToolResult(Status.NOT_FOUND, {"message": error.message})
    reason = getattr(error, "reason", error.code)
    return ToolResult(Status.ERROR, {"retryable": False, "reason": reason, "message": error.message})


def action_id_of(result: Json) -> UUID | None:
    return UUID(str(result["action_id"])) if result.get("action_id") else None


def wrong_fields(problem: ValidationError) -> Json:
    return {".".join(map(str, error["loc"])) or "arguments": error["msg"] for error in problem.errors()}


def capped(result: Json, limit: int) -> Json:
    """A result of at most `limit` characters: lists lose their tail and say how much, giant texts are cut.

    Never looks at more than it keeps, so that ten megabytes cost no more than ten kilobytes.
    """
    room = limit - 200
    cut: Json = {}
    for name, value in result.items():
        if isinstance(value, list):
            kept = _head(value, room)
            cut[name], dropped = kept, len(value) - len(kept)
            if dropped:
                cut["more"] = int(result.get("more") or 0) + dropped
        elif isinstance(value, str) and len(value) > room // 2:
            cut[name] = value[: max(0, room // 2)] + " …"
        else:
            cut[name] = cut.get(name, value)
        room -= len(json.dumps(cut[name], default=str))
    if len(json.dumps(cut, default=str)) > limit:
        return {"status": result["status"], "message": "The result was too large to read."}
    return cut


def _head(items: list[Any], room: int) -> list[Any]:
    """The first items that fit."""
    kept: list[Any] = []
    for item in items:
        room -= len(json.dumps(item, default=str)) + 2
        if room < 0:
            break
        kept.append(item)
    return kept
