"""Proving who one is by an e-mailed code."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ninja import Router, Status

from support_agent.chat.api.auth import CONVERSATION, VisitorRequest, conversation_of
from support_agent.chat.api.problems import refusals
from support_agent.chat.api.schemas import VerificationIn, VerificationOut
from support_agent.runtime.ratelimit import allow
from tickets.models import Verification
from tickets.services.identity import (
    attempts_left,
    mask_email,
    verification_again,
    verification_check,
    verification_start,
)

router = Router(tags=["Verification"], auth=CONVERSATION)


@router.post(
    "/{uuid:conversation_id}/verification",
    response={202: VerificationOut, 200: VerificationOut},
    summary="Ask for a code, then send it",
    openapi_extra=refusals(401, 404, 409, 410),
)
def verify(request: VisitorRequest, conversation_id: UUID, data: VerificationIn) -> Status[Any]:
    """With `email` 202: a code is mailed if the address is known; whether it is, nothing in the answer tells. With
    `again` 202: another one to the same address, and the first is void.

    With `code` 200: `state` is verified, requested (wrong, try again), failed (three wrong ones) or expired.
    """
    conversation = conversation_of(request, conversation_id)
    allow("verification", request.auth.address or str(conversation.pk))
    if data.email is not None:
        status, verification = 202, verification_start(conversation=conversation, email=data.email)
    elif data.again:
        status, verification = 202, verification_again(conversation=conversation)
    else:
        status, verification = 200, verification_check(conversation=conversation, code=data.code or "")
        if verification.state == Verification.State.VERIFIED and not request.auth.token:
            request.session.cycle_key()  # whoever planted the old one must not come in along with its owner
    answer = {
        "state": verification.state,
        "email_masked": mask_email(verification.email),
        "attempts_left": attempts_left(verification),
    }
    return Status(status, answer)
