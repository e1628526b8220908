"""What a session has proved, and whether that opens the desk. The gate, the inbox's socket and the API ask here.

allauth notes in the session how its user signed in (`method`: password, mfa or socialaccount; `at`: Unix seconds).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from enum import Enum
from typing import Any
from uuid import UUID

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import SESSION_KEY

METHODS, METHODS_USER = AUTHENTICATION_METHODS_SESSION_KEY, f"{AUTHENTICATION_METHODS_SESSION_KEY}_user"
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
FRESH_S, FORM_S = 15 * 60, 60 * 60
KNOWN_S = 30.0
MOST_KNOWN = 5000
_known: dict[UUID, tuple[float, bool]] = {}


class Standing(Enum):
    """`SET_UP`: right password, and a second factor is to be set up before anything else."""

    PASSED = "passed"
    SET_UP = "set up"
    SIGN_IN = "sign in"


def standing(session: Mapping[str, Any]) -> Standing:
    """Of a session with somebody signed in. No query when it has passed a second factor."""
    methods = {proof.get("method") for proof in proofs(session)}
    if "mfa" in methods or settings.DEMO:  # the door asks in the demo too, but of who has a factor alone
        return Standing.PASSED
    if settings.OIDC_ONLY and "socialaccount" not in methods:
        return Standing.SIGN_IN
    if has_factor(UUID(session[SESSION_KEY])):
        return Standing.SIGN_IN
    if factor_is_required():
        return Standing.SET_UP if methods else Standing.SIGN_IN
    return Standing.PASSED


def factor_is_required() -> bool:
    """Of everybody with a desk role: each of them sees what customers ordered and paid. The demo only mentions it."""
    return settings.STAFF_MFA == "required" and not settings.DEMO


def proofs(session: Mapping[str, Any]) -> list[dict[str, Any]]:
    """How the session's user signed in at the staff's door, oldest first; empty for the customers' door."""
    noted = session.get(METHODS)
    is_theirs = session.get(METHODS_USER) == session.get(SESSION_KEY, "")
    return noted if is_theirs and isinstance(noted, list) else []


def is_fresh(session: Mapping[str, Any], *, for_form: bool = False) -> bool:
    """Whether somebody proved who they are within the last quarter of an hour, by a factor if they have one; a form
    that was opened in time may come within the hour, so that nobody loses what took a while to fill in."""
    within = FORM_S if for_form else FRESH_S
    recent = {proof.get("method") for proof in proofs(session) if time.time() - float(proof.get("at", 0)) < within}
    return "mfa" in recent or (bool(recent) and not has_factor(UUID(session[SESSION_KEY])))


def has_factor(user_id: UUID) -> bool:
    """Whether there is an authenticator app or a passkey; known for half a minute in this process."""
    until, known = _known.get(user_id, (0.0, False))
    if time.monotonic() >= until:
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        known = Authenticator.objects.filter(user_id=user_id, type__in=FACTORS).exists()
        _known[user_id] = (time.monotonic() + KNOWN_S, known)
    return known


def forget(user_id: UUID) -> None:
    """A factor came or went."""
    _known.pop(user_id, None)
