"""The staff's sign-in at `/admin/login/`: name and password, then a code or passkey; or a passkey alone."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.webauthn.internal import auth as webauthn
from allauth.mfa.webauthn.views import LoginWebAuthnView
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from support_agent.sign_in.forms import StaffSignIn
from support_agent.sign_in.standing import FACTORS, Standing, standing
from support_agent.sign_in.steps import leave, next_of
from tickets.models import User


@sensitive_post_parameters("password")
@never_cache
@csrf_protect
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The door: a right password leads to the second step, where there is one."""
    if request.method == "GET" and _is_in(request):
        return redirect(next_of(request))
    form = StaffSignIn(request, data=request.POST if request.method == "POST" else None)
    if form.is_valid():
        user = form.get_user()
        assert isinstance(user, User)
        leave(request, user)
        login = Login(user=user, redirect_url=next_of(request))
        answer: HttpResponse = perform_password_login(request, {"username": user.username}, login)
        return answer
    context = {
        "title": "Sign in",
        "form": form,
        "next": next_of(request),
        "company": settings.OIDC_NAME if settings.OIDC_ISSUER else "",
        "passwords": not settings.OIDC_ONLY,
        "demo": settings.DEMO,
    }
    return render(request, "admin/login.html", context)


@method_decorator(never_cache, name="dispatch")
class SecondStep(AuthenticateView):  # type: ignore[misc]
    """After the right password: a code, or a passkey."""

    template_name = "sign_in/code.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        kinds = kinds_of(self.stage.login.user)
        options = context["js_data"]["request_options"] if "webauthn" in kinds else None
        return {**context, "title": "Second step", "kinds": kinds, "passkey": options}


@method_decorator(never_cache, name="dispatch")
class PasskeyAlone(LoginWebAuthnView):  # type: ignore[misc]
    """A passkey instead of a password; asks the browser's options by GET, is shown the answer by POST."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if settings.OIDC_ONLY and request.method == "POST":
            return redirect("/admin/login/")
        if request.user.is_authenticated and not _is_in(request):
            leave(request, request.user)
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer


def kinds_of(user: User) -> set[str]:
    """Which kinds of factor somebody has."""
    return set(user.authenticator_set.values_list("type", flat=True))  # type: ignore[attr-defined]


def passkey_options(user: User) -> dict[str, Any] | None:
    """What the browser is asked for, when there is a passkey to ask for."""
    if FACTORS[1] not in kinds_of(user):
        return None
    options: dict[str, Any] = webauthn.begin_authentication(user)
    return options


def _is_in(request: HttpRequest) -> bool:
    user = request.user
    return isinstance(user, User) and user.is_staff and standing(request.session) is Standing.PASSED
