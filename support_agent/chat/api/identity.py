"""The signed identity of a widget's host site: a short-lived JWT about one of its customers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from ninja import Router

from support_agent.chat.api.auth import CONVERSATION, VisitorRequest, conversation_of
from support_agent.chat.api.problems import Problem, refusals
from support_agent.chat.api.schemas import IdentifiedOut, IdentityIn
from support_agent.runtime.jobs import refresh_customer
from tickets.backends import backend
from tickets.errors import Conflict
from tickets.models import Conversation, Customer
from tickets.queue import enqueue
from tickets.services.conversations import conversation_identify
from tickets.services.customers import customer_identified
from tickets.services.identity import mask_email

router = Router(tags=["Conversations"])

LEEWAY_SECONDS = 10
MAX_SUB = 200
MAX_TOKEN = 4096


def customer_of_identity(token: str) -> Customer:
    """The customer whom a valid identity names; its first use binds `sub` to the customer with that e-mail.

    Raises Problem (401) when the identity cannot be trusted, Conflict when `sub` and e-mail belong to different people.
    """
    claims = _claims(token)
    sub, email, name = claims["sub"], claims["email"], claims.get("name", "")
    if not (isinstance(sub, str) and 0 < len(sub) <= MAX_SUB and sub.isprintable()):
        raise _refused("its `sub` is not a text of 1 to 200 characters")
    if not isinstance(email, str) or len(email) > 254:
        raise _refused("its `email` is not an address")
    try:
        validate_email(email.strip())
    except ValidationError:
        raise _refused("its `email` is not an address") from None
    customer = customer_identified(sub=sub, email=email, name=name if isinstance(name, str) else "")
    if backend().is_remote:
        enqueue(refresh_customer, str(customer.pk))
    return customer


@router.post(
    "/{uuid:conversation_id}/identity",
    auth=CONVERSATION,
    response=IdentifiedOut,
    summary="Say who it is",
    openapi_extra=refusals(401, 404, 409),
)
def identify(request: VisitorRequest, conversation_id: UUID, data: IdentityIn) -> dict[str, str]:
    """A conversation begun without a name becomes that customer's; one that is theirs already stays so.

    409 `conflict`: it is another customer's. 409 `identity_conflict`: `sub` and e-mail belong to different people.
    """
    conversation = conversation_of(request, conversation_id)
    try:
        customer = customer_of_identity(data.identity)
    except Conflict as error:
        raise Problem(409, "identity_conflict", error.message) from None
    if conversation.customer_id != customer.pk:
        conversation_identify(conversation=conversation, customer=customer, identity=Conversation.Identity.JWT)
    return {"state": "verified", "email_masked": mask_email(customer.email)}


def _claims(token: str) -> dict[str, Any]:
    import jwt  # and cryptography with it: only where widgets sign identities

    secret = settings.IDENTITY_SECRET
    if not secret:
        raise Problem(401, "identity_not_configured", "Signed identities are not accepted here: no secret is set.")
    if len(token) > MAX_TOKEN:
        raise _refused("it is too long")
    try:
        return dict(
            jwt.decode(
                token,
                secret,
                algorithms=["HS256"],
                leeway=LEEWAY_SECONDS,
                options={"require": ["sub", "email", "exp"]},
            )
        )
    except jwt.ExpiredSignatureError:
        raise Problem(401, "identity_expired", "The identity has expired. Sign a new one.") from None
    except jwt.MissingRequiredClaimError as error:
        raise _refused(f"it has no `{error.claim}`") from None
    except jwt.InvalidSignatureError:
        raise _refused("its signature is not ours") from None
    except (jwt.PyJWTError, ValueError, OverflowError):
        raise _refused("it is not a valid JWT signed with HS256") from None


def _refused(why: str) -> Problem:
    return Problem(401, "identity_invalid", f"The identity cannot be trusted: {why}.")
