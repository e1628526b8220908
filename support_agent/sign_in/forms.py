"""The staff's forms of signing in, with their limits: what can be guessed cannot be tried by the thousand."""

from __future__ import annotations

from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from support_agent.addresses import client_address
from support_agent.runtime.ratelimit import allow
from support_agent.sign_in.standing import has_factor
from tickets.errors import RateLimited
from tickets.models import User


class StaffSignIn(AdminAuthenticationForm):
    """Name and password. Tries are counted by address, and by account where it was never signed in: strangers who
    guess at an account do not lock out who comes from their usual place."""

    def clean(self) -> dict[str, Any]:
        assert self.request is not None
        name = str(self.cleaned_data.get("username", ""))
        try:
            allow("login", client_address(self.request.META))
            if not UserSession.objects.filter(user__username=name, ip=address_of(self.request)).exists():
                allow("login_account", name.lower())
        except RateLimited as limited:
            raise ValidationError(limited.message) from None
        return super().clean()

    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        super().confirm_login_allowed(user)  # type: ignore[arg-type]
        assert isinstance(user, User)
        if settings.OIDC_ONLY and not (user.is_superuser and has_factor(user.pk)):
            raise ValidationError(f"Passwords are switched off here: sign in with {settings.OIDC_NAME}.")


def address_of(request: HttpRequest) -> str:
    """The caller's address as a session is noted with: of an IPv6 network its first."""
    return client_address(request.META).partition("/")[0] or "0.0.0.0"  # noqa: S104 - none is known
