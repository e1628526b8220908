"""'Is it still you?' before a sensitive deed (gate.SENSITIVE): a factor, or the password while there is none."""

from __future__ import annotations

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.base.forms import ReauthenticateForm
from allauth.mfa.webauthn.forms import ReauthenticateWebAuthnForm
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from support_agent.addresses import client_address
from support_agent.ops.gates import staff_of
from support_agent.runtime.ratelimit import allow
from support_agent.sign_in.guard import own_page
from support_agent.sign_in.standing import has_factor
from support_agent.sign_in.steps import next_of
from support_agent.sign_in.views import kinds_of, passkey_options
from tickets.errors import RateLimited
from tickets.models import User


@sensitive_post_parameters()
@own_page
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    user, error = staff_of(request), ""
    if request.method == "POST":
        error = _with_factor(request, user) if has_factor(user.pk) else _with_password(request, user)
        if not error:
            request.session.cycle_key()
            return redirect(next_of(request))
    context = {
        "title": "Confirm that it is you",
        "error": error,
        "kinds": kinds_of(user),
        "passkey": passkey_options(user),
        "has_password": user.has_usable_password(),
        "company": settings.OIDC_NAME if settings.OIDC_ISSUER else "",
        "next": next_of(request),
    }
    return render(request, "sign_in/confirm.html", context)


def _with_factor(request: HttpRequest, user: User) -> str:
    """What is wrong, else nothing and the session is fresh."""
    kind = ReauthenticateWebAuthnForm if "credential" in request.POST else ReauthenticateForm
    form = kind(user=user, data=request.POST)
    if form.is_valid():
        form.save()
        return ""
    return str(next(iter(form.errors.values()))[0])


def _with_password(request: HttpRequest, user: User) -> str:
    try:
        allow("login", client_address(request.META))
    except RateLimited as limited:
        return limited.message
    if settings.OIDC_ONLY or not user.check_password(request.POST.get("password", "")):
        return "That is not your password."
    record_authentication(request, user, "password")
    return ""
