"""One's own sign-in at `/admin/account/`: factors, recovery codes, and where one is signed in."""

from __future__ import annotations

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.internal.flows import delete_and_cleanup
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.flows import generate_recovery_codes, view_recovery_codes
from allauth.mfa.totp.internal.auth import get_totp_secret
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.internal import auth as webauthn
from allauth.mfa.webauthn.internal.flows import rename_authenticator
from allauth.mfa.webauthn.views import AddWebAuthnView
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from support_agent.ops.gates import staff_of
from support_agent.sign_in.guard import own_page
from support_agent.sign_in.sessions import places, session_end, sessions_end
from support_agent.sign_in.standing import FACTORS, Standing, standing
from support_agent.sign_in.steps import proved
from tickets.models import User

NAME = 60  # letters of a passkey's name


@own_page
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    user = staff_of(request)
    context = {
        **sign_in_of(user),
        "places": places(user, request.session.session_key or ""),
        "must": standing(request.session) is Standing.SET_UP,
        "demo": settings.DEMO,
    }
    return _shown(request, "sign_in/account.html", "Your sign-in", context)


def sign_in_of(user: User) -> dict[str, Any]:
    """The factors and the company's identity of somebody, as the pages show them."""
    rows = list(Authenticator.objects.filter(user=user).order_by("created_at"))
    codes = next((row for row in rows if row.type == Authenticator.Type.RECOVERY_CODES), None)
    account = SocialAccount.objects.filter(user=user).first()
    return {
        "app": next((row for row in rows if row.type == Authenticator.Type.TOTP), None),
        "passkeys": [row for row in rows if row.type == Authenticator.Type.WEBAUTHN],
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else None,
        "company": settings.OIDC_NAME if account else "",
        "company_email": account.extra_data.get("email", "") if account else "",
    }


class AddApp(ActivateTOTPView):  # type: ignore[misc]
    """An authenticator app, by the picture or the letters of its secret and its first code."""

    template_name = "sign_in/app.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if Authenticator.objects.filter(user=staff_of(request), type=Authenticator.Type.TOTP).exists():
            return redirect("mfa_index")
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shown = super().get_context_data(**kwargs)  # makes the secret
        secret = shown["form"].secret
        spaced = " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
        return {**shown, "title": "Set up an authenticator app", "secret": spaced}

    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)
        proved(self.request, staff_of(self.request), Authenticator.Type.TOTP)
        return answer


class AddPasskey(AddWebAuthnView):  # type: ignore[misc]
    """A passkey that names its owner and asks for finger, face or PIN: good as second factor, and alone."""

    template_name = "sign_in/passkey.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shown = super().get_context_data(**kwargs) | kwargs  # the form that was refused, with why
        options = webauthn.begin_registration(self.request.user, passwordless=True)  # in place of allauth's challenge
        return {**shown, "title": "Add a passkey", "passkey": options}

    def form_valid(self, form: Any) -> HttpResponse:
        form.cleaned_data["name"] = form.cleaned_data["name"][:NAME]
        answer: HttpResponse = super().form_valid(form)
        proved(self.request, staff_of(self.request), Authenticator.Type.WEBAUTHN)
        return answer


@own_page
@require_GET
def picture(request: HttpRequest) -> HttpResponse:
    """The secret that is being set up, for a telephone's camera."""
    adapter = get_adapter()
    svg = adapter.build_totp_svg(adapter.build_totp_url(staff_of(request), get_totp_secret()))
    return HttpResponse(svg, content_type="image/svg+xml")


@own_page
@require_http_methods(["GET", "POST"])
def codes(request: HttpRequest) -> HttpResponse:
    """Recovery codes, shown once; by POST new ones, which end the old."""
    if not Authenticator.objects.filter(user=staff_of(request), type__in=FACTORS).exists():
        return redirect("mfa_index")
    if request.method == "POST":
        generate_recovery_codes(request)
        return redirect("mfa_view_recovery_codes")
    found, may_show = view_recovery_codes(request)
    shown = found.get_unused_codes() if found and may_show else []
    return _shown(request, "sign_in/codes.html", "Recovery codes", {"codes": shown})


@own_page
@require_POST
@transaction.atomic
def remove(request: HttpRequest, factor_id: int) -> HttpResponse:
    """Take an app or a passkey away; the last one only where none is required."""
    found = get_object_or_404(Authenticator, pk=factor_id, user=staff_of(request), type__in=FACTORS)
    if get_adapter().can_delete_authenticator(found):
        delete_and_cleanup(request, found)
        messages.success(
            request, f"{'The passkey' if found.type == Authenticator.Type.WEBAUTHN else 'The app'} is removed."
        )
    else:
        messages.error(request, "This is your last second factor, and one is required: add another first.")
    return redirect("mfa_index")


@own_page
@require_POST
def rename(request: HttpRequest, factor_id: int) -> HttpResponse:
    found = get_object_or_404(Authenticator, pk=factor_id, user=staff_of(request), type=Authenticator.Type.WEBAUTHN)
    name = request.POST.get("name", "").replace("\x00", "").strip()[:NAME]
    if name:
        rename_authenticator(request, found, name)
    return redirect("mfa_index")


@own_page
@require_POST
def end_session(request: HttpRequest) -> HttpResponse:
    """One of one's own sessions (`session`), or all others."""
    user, wanted = staff_of(request), request.POST.get("session", "")
    if wanted.isdecimal() and len(wanted) < 19:
        session_end(user=user, session_id=int(wanted), actor=user)
        messages.success(request, "That session has ended.")
    elif wanted == "others":
        ended = sessions_end(user=user, actor=user, but_key=request.session.session_key or "")
        messages.success(request, f"{ended} other session{'' if ended == 1 else 's'} ended.")
    return redirect("mfa_index")


def _shown(request: HttpRequest, template: str, title: str, context: dict[str, Any]) -> HttpResponse:
    return render(request, template, {"title": title, **context})
