"""What several ways of signing in share."""

from __future__ import annotations

from allauth.account.internal.flows.login import clear_authentication_records, record_authentication
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, logout
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from tickets.models import User


def next_of(request: HttpRequest) -> str:
    """Where to go on: a path of the desk, else its index."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, None)
    return wanted if is_ours and not wanted.startswith("/admin/login/") else "/admin/"


def leave(request: HttpRequest, user: User) -> None:
    """Make room for `user`, who proves everything anew: somebody else's session ends; their own loses its sign-in."""
    clear_authentication_records(request)
    if not request.user.is_authenticated:
        return
    if request.user.pk != user.pk:
        logout(request)
        return
    for key in (SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY):
        request.session.pop(key, None)
    request.user = AnonymousUser()


def proved(request: HttpRequest, user: User, kind: str) -> None:
    """A signed-in person showed a factor: the session says so, under a new key."""
    record_authentication(request, user, "mfa", type=kind)
    request.session.cycle_key()
