"""The signed identity of a widget's host site: a short-lived JWT about one of its customers."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from support_agent.chat.api.problems import Problem
from tickets.models import Customer
from tickets.services.customers import customer_identified

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
    return customer_identified(sub=sub, email=email, name=name if isinstance(name, str) else "")


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
