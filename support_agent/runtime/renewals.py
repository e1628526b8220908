"""An expired proposal offered again at the customer's press: through its own tool, so that policy decides as it did
then, with the very same arguments and without asking a model."""

from __future__ import annotations

from uuid import UUID

from pydantic import ValidationError

from support_agent.agent.toolkit import Status, ToolContext, ToolResult
from support_agent.models import ToolCall, Turn
from support_agent.runtime.catalogue import catalogue
from support_agent.runtime.controls import controls
from tickets.errors import Conflict, NotEligible, NotFound
from tickets.ids import new_id
from tickets.models import Action, Conversation
from tickets.services.actions import action_renew

GONE = "This can no longer be offered. Write to us what you want, and we look at it afresh."


def renew(*, conversation: Conversation, action_id: UUID) -> Action:
    """The new proposal. Raises NotFound, Conflict, or NotEligible with policy's own sentence."""
    return action_renew(conversation=conversation, action_id=action_id, propose=_propose)


def _propose(old: Action, key: str) -> Action:
    tool = catalogue().get(old.tool)
    if tool is None or tool.name in controls().disabled_tools:
        raise Conflict(GONE)
    try:
        arguments = tool.arguments.model_validate(old.arguments)
    except ValidationError as error:
        raise Conflict(GONE) from error
    context = ToolContext(
        conversation_id=old.conversation_id,
        turn_id=old.turn_id or new_id(),
        customer_id=old.customer_id,
        locale=old.conversation.locale,
        idempotency_key=key,
    )
    result = tool.run(context, arguments)
    action = _offered(result)
    _note(old, action, result, key)
    return action


def _offered(result: ToolResult) -> Action:
    if result.status is Status.PENDING_CONFIRMATION:
        return Action.objects.get(pk=result.data["action_id"])
    message = str(result.data.get("message") or GONE)
    if result.status is Status.NOT_FOUND:
        raise NotFound(message)
    if result.status is Status.ERROR:
        raise NotEligible(str(result.data.get("reason", "conflict")), message)
    raise Conflict(GONE)


def _note(old: Action, action: Action, result: ToolResult, key: str) -> None:
    """The trace shows the new proposal beside the turn that made the first; the click settles this row."""
    turn = Turn.objects.filter(pk=old.turn_id).first() if old.turn_id else None
    if turn is None:
        return
    ToolCall.objects.bulk_create(
        [
            ToolCall(
                turn=turn,
                conversation_id=old.conversation_id,
                tool=old.tool,
                tool_use_id="renewed",
                arguments=old.arguments,
                idempotency_key=key,
                status=result.status.value,
                result=result.as_json(),
                action=action,
            )
        ],
        ignore_conflicts=True,
    )
