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
    """A result within its size: lists lose their tail first, and say how much; a giant text is cut."""
    if len(json.dumps(result, default=str)) <= limit:
        return result
    cut = dict(result)
    for name, value in result.items():
        if isinstance(value, list):
            kept = value
            while kept and len(json.dumps({**cut, name: kept}, default=str)) > limit:
                kept = kept[: len(kept) // 2]
            cut[name], cut["more"] = kept, cut.get("more", 0) + len(value) - len(kept)
        elif isinstance(value, str) and len(value) > limit // 2:
            cut[name] = value[: limit // 2] + " …"
    if len(json.dumps(cut, default=str)) > limit:
        return {"status": result["status"], "message": "The result was too large to read."}
    return cut
