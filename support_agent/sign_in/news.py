"""Whoever's sign-in changes is told by mail, and the audit notes it: an intruder's factor does not stay unseen."""

from __future__ import annotations

from typing import Any

from allauth.mfa import signals
from allauth.mfa.models import Authenticator
from django.conf import settings

from support_agent.sign_in.standing import forget
from tickets import mail
from tickets.models import User
from tickets.queue import enqueue
from tickets.services.audit import audit

WORDS = {
    "added totp": "An authenticator app was added to your account.",
    "added webauthn": "A passkey was added to your account.",
    "removed totp": "The authenticator app was removed from your account.",
    "removed webauthn": "A passkey was removed from your account.",
    "renewed recovery_codes": "New recovery codes were made for your account; the old ones are void.",
    "reset": "An admin reset the sign-in of your account: its second factors are gone and its sessions have ended. "
    "You set up a new second factor when you sign in next.",
}


def listen() -> None:
    """Connect the receivers; called once, when the apps are ready."""
    signals.authenticator_added.connect(added, dispatch_uid="factor_added")
    signals.authenticator_removed.connect(removed, dispatch_uid="factor_removed")
    signals.authenticator_reset.connect(renewed, dispatch_uid="codes_renewed")


def added(user: User, authenticator: Authenticator, **_: Any) -> None:
    _note("added", user, authenticator)


def removed(user: User, authenticator: Authenticator, **_: Any) -> None:
    _note("removed", user, authenticator)


def renewed(user: User, authenticator: Authenticator, **_: Any) -> None:
    _note("renewed", user, authenticator)


def _note(what: str, user: User, authenticator: Authenticator) -> None:
    forget(user.pk)
    kind = authenticator.type
    before, after = (kind, "") if what == "removed" else ("", kind)
    audit(actor=user, action=f"factor.{what}", obj=user, changes={"factor": (before, after)})
    tell(user, f"{what} {kind}")


def tell(user: User, what: str) -> None:
    """Mail it, when there are words for it and an address."""
    if what in WORDS and user.email:
        enqueue(mail_news, str(user.pk), what, queue="mail")


def mail_news(user_id: str, what: str) -> None:
    user = User.objects.filter(pk=user_id).exclude(email="").first()
    if user is None:
        return
    body = (
        f"Hello {user.get_short_name() or user.username},\n\n{WORDS[what]}\n\n"
        f"Was it not you? Then end your other sessions at {settings.SITE_ORIGIN}/admin/account/ and tell an admin "
        "at once."
    )
    mail.send(to=user.email, subject="Your sign-in to the desk has changed", body=body)
