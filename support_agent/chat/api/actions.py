"""The customer's own click on what the assistant proposed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ninja import Router

from support_agent.chat.api.auth import CONVERSATION, VisitorRequest, conversation_of
from support_agent.chat.api.problems import refusals
from support_agent.chat.api.schemas import ActionOut, DecisionIn
from support_agent.runtime import renewals
from support_agent.runtime.ratelimit import allow
from tickets.services.actions import action_decide, action_payload, action_undo

Json = dict[str, Any]
router = Router(tags=["Actions"], auth=CONVERSATION)
PATH = "/{uuid:conversation_id}/actions/{uuid:action_id}"


@router.post(
    PATH,
    response=ActionOut,
    exclude_unset=True,
    summary="Confirm or decline a proposal",
    openapi_extra=refusals(401, 404, 409, 410),
)
def decide(request: VisitorRequest, conversation_id: UUID, action_id: UUID, data: DecisionIn) -> Json:
    """It happens once, however often it is clicked; `state` and `receipt` say what came of it."""
    conversation = conversation_of(request, conversation_id)
    action = action_decide(conversation=conversation, action_id=action_id, token=data.token, approve=data.approve)
    return action_payload(action)


@router.post(
    f"{PATH}/undo",
    response=ActionOut,
    exclude_unset=True,
    summary="Take a done action back",
    openapi_extra=refusals(401, 404, 409, 410),
)
def undo(request: VisitorRequest, conversation_id: UUID, action_id: UUID) -> Json:
    """Until `undo_until`; a second time changes nothing."""
    conversation = conversation_of(request, conversation_id)
    return action_payload(action_undo(conversation=conversation, action_id=action_id))


@router.post(
    f"{PATH}/renew",
    response=ActionOut,
    exclude_unset=True,
    summary="Offer an expired proposal again",
    openapi_extra=refusals(401, 404, 409, 429),
)
def renew(request: VisitorRequest, conversation_id: UUID, action_id: UUID) -> Json:
    """A new one with the very same arguments, if policy still allows it; its event brings the token. Three times."""
    conversation = conversation_of(request, conversation_id)
    allow("renewal", str(conversation.pk))
    return action_payload(renewals.renew(conversation=conversation, action_id=action_id))
