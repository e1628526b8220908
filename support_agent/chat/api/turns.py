"""A turn: from a customer's message to what came of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ninja import Router

from support_agent.chat.api.auth import CONVERSATION, VisitorRequest, conversation_of
from support_agent.chat.api.problems import refusals
from support_agent.chat.api.schemas import TurnOut
from support_agent.models import Turn
from tickets.errors import NotFound
from tickets.events import message_payload
from tickets.models import Message

Json = dict[str, Any]
router = Router(tags=["Turns"], auth=CONVERSATION)
ANSWERS = [Message.Role.ASSISTANT, Message.Role.SYSTEM]


@router.get(
    "/{uuid:turn_id}",
    response=TurnOut,
    exclude_unset=True,
    summary="How a turn stands",
    openapi_extra=refusals(401, 404),
)
def turn(request: VisitorRequest, turn_id: UUID) -> Json:
    """For clients that poll. `message` is there once the turn is over, if it said anything."""
    found = Turn.objects.filter(pk=turn_id).first()
    if found is None:
        raise NotFound("There is no such turn.")
    try:
        conversation_of(request, found.conversation_id)
    except NotFound:
        raise NotFound("There is no such turn.") from None
    answer: Json = {"id": found.pk, "state": found.state}
    if found.finished_at is not None:
        messages = Message.objects.filter(conversation=found.conversation_id, turn_id=found.pk, role__in=ANSWERS)
        if (message := messages.order_by("role", "-seq").first()) is not None:
            answer["message"] = message_payload(message)
    return answer
