"""What allauth asks of us: who may come in, in which steps, where to, and what is kept secret."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import clear_login
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.stages import AuthenticateStage
from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from support_agent.sign_in.forms import address_of
from support_agent.sign_in.standing import FACTORS, factor_is_required, proofs
from tickets.models import User
from tickets.sealing import Unreadable, seal, unseal
from tickets.workspace import workspace

PURPOSE = "factors"
QUIET = ("account/messages/logged_in.txt", "mfa/messages/recovery_codes_generated.txt")
"""What the next page says itself."""


class StaffAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Only staff come in here, and nobody signs up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        if user.is_active and user.is_staff:
            return None
        clear_login(request)
        return refused(request, "This account does not open the desk.")

    def get_login_stages(self) -> list[str]:
        return ["support_agent.sign_in.adapters.SecondStep"]

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return "/admin/"

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        return False  # gate.SENSITIVE asks, in one place for everything

    def get_client_ip(self, request: HttpRequest) -> str:
        return address_of(request)

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        if message_template not in QUIET:
            super().add_message(request, level, message_template, *args, **kwargs)


class SecondStep(AuthenticateStage):  # type: ignore[misc]
    """Asks for a factor, unless one was shown already: a passkey alone, or a trusted provider's."""

    def _should_handle(self, request: HttpRequest) -> bool:
        noted = {**request.session, "_auth_user_id": str(self.login.user.pk)}
        return not any(proof.get("method") == "mfa" for proof in proofs(noted)) and super()._should_handle(request)


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of factors are encrypted by SECRET_KEY: a copy of the database alone opens nothing."""

    def encrypt(self, text: str) -> str:
        return seal(text, purpose=PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        """Under another SECRET_KEY nothing fits: codes are wrong, and an admin resets the factors."""
        try:
            return unseal(encrypted_text, purpose=PURPOSE)
        except Unreadable:
            return str(generate_totp_secret())

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        others = Authenticator.objects.filter(user=authenticator.user, type__in=FACTORS).exclude(pk=authenticator.pk)
        return not factor_is_required() or others.exists()

    def _get_user_identifier(self, user: User) -> str:
        return user.username

    def get_totp_issuer(self) -> str:
        return f"{workspace().name} desk"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": context.request.get_host().partition(":")[0], "name": f"{workspace().name} desk"}


def refused(request: HttpRequest, sentence: str) -> HttpResponse:
    """Back to the sign-in, with a sentence."""
    messages.error(request, sentence)
    return redirect("/admin/login/")
