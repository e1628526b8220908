"""Other people's sign-in, for admins: what they have, where they are signed in; ending and resetting it."""

from __future__ import annotations

from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from support_agent.ops.gates import staff_of, staff_only
from support_agent.sign_in.account import sign_in_of
from support_agent.sign_in.news import tell
from support_agent.sign_in.sessions import places, session_end, sessions_end
from support_agent.sign_in.standing import forget
from tickets.models import Role, User
from tickets.selectors.staff import staff_name
from tickets.services.audit import audit

admins_only = staff_only(Role.ADMIN.value)


@admins_only
@require_GET
def page(request: HttpRequest, user_id: UUID) -> HttpResponse:
    person = _person(user_id)
    context = {
        "title": f"Sign-in of {staff_name(person)}",
        "person": person,
        **sign_in_of(person),
        "places": places(person, request.session.session_key or ""),
    }
    return render(request, "sign_in/person.html", context)


@admins_only
@require_POST
def end_session(request: HttpRequest, user_id: UUID) -> HttpResponse:
    person, wanted = _person(user_id), request.POST.get("session", "")
    if wanted.isdecimal() and len(wanted) < 19:
        session_end(user=person, session_id=int(wanted), actor=staff_of(request))
    elif wanted == "all":
        sessions_end(user=person, actor=staff_of(request))
    messages.success(request, "Ended: their open pages close within seconds.")
    return redirect("staff_sign_in", user_id)


@admins_only
@require_POST
def reset(request: HttpRequest, user_id: UUID) -> HttpResponse:
    person = _person(user_id)
    factors_reset(user=person, actor=staff_of(request))
    messages.success(request, "Reset. At the next sign-in they set up a second factor again; a mail tells them.")
    return redirect("staff_sign_in", user_id)


@transaction.atomic
def factors_reset(*, user: User, actor: User | None) -> int:
    """Take every factor, recovery codes and the company's identity from somebody and end their sessions; how many
    factors there were. They are told by mail."""
    rows = Authenticator.objects.filter(user=user)
    kinds = sorted(rows.values_list("type", flat=True))
    rows.delete()
    SocialAccount.objects.filter(user=user).delete()
    sessions_end(user=user, actor=actor)
    audit(actor=actor, action="factors.reset", obj=user, changes={"factors": (", ".join(kinds), "")})
    forget(user.pk)
    tell(user, "reset")
    return len(kinds)


def _person(user_id: UUID) -> User:
    return get_object_or_404(User, pk=user_id, is_staff=True)
