"""The gate before the staff's pages: what a session has not proved opens nothing, and a few deeds want it fresh."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import url_has_allowed_host_and_scheme

from support_agent.middleware import STAFF_PATHS
from support_agent.sign_in.sessions import seen, session_renewed
from support_agent.sign_in.standing import Standing, is_fresh, proofs, standing
from tickets.models import User

LOGIN, ACCOUNT, CONFIRM = "/admin/login/", "/admin/account/", "/admin/account/confirm/"
OPEN = (LOGIN, "/admin/logout/", "/admin/jsi18n/")
SENSITIVE = re.compile(
    r"/admin/(?:"
    r"account/(?:app|passkeys|codes|factors|people)/"  # factors, and what admins do to others'
    r"|workspace/$"
    r"|(?:tickets/(?:user|webhook)|auth/group|support_agent/(?:apikey|mcp\w+))/(?P<list>$)?"
    r")"
)
"""Roles, API keys, the workspace, webhooks, MCP servers and factors: who finds a desk unlocked must not take it."""


class StaffGate:
    """Middleware; costs customers' pages a comparison, and staff who passed a second factor no query."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(STAFF_PATHS):
            return self.get_response(request)
        if refusal := _refusal(request):
            return refusal
        before = request.session.session_key
        answer = self.get_response(request)
        after = request.session.session_key
        if before and after and before != after:  # another factor, a confirmation, another password
            session_renewed(old_key=before, new_key=after)
        return answer


def is_through(request: HttpRequest) -> bool:
    """Whether this session of a member of staff opens the desk, for what lies outside the staff's paths."""
    return standing(request.session) is Standing.PASSED


def _refusal(request: HttpRequest) -> HttpResponse | None:
    if request.path.startswith(OPEN):
        return None
    user = request.user
    if not (isinstance(user, User) and user.is_active and user.is_staff):
        return None  # each page sends them to the sign-in itself
    found = standing(request.session)
    if found is Standing.SIGN_IN:
        return redirect_to_login(request.get_full_path(), LOGIN)
    if found is Standing.SET_UP and not request.path.startswith(ACCOUNT):
        return redirect_to_login(request.get_full_path(), ACCOUNT)
    if proofs(request.session):
        seen(request.session.session_key or "")
        if _is_stale(request):
            return _ask_again(request)
    return None


def _is_stale(request: HttpRequest) -> bool:
    """Whether the deed is sensitive and the proof old. A list may be read; what is chosen in it is deleted by a POST
    to it, which no form that was opened in time comes before."""
    found, is_read = SENSITIVE.match(request.path), request.method == "GET"
    if found is None:
        return False
    if found["list"] is not None:
        return not is_read and not is_fresh(request.session)
    return not is_fresh(request.session, for_form=not is_read)


def _ask_again(request: HttpRequest) -> HttpResponse:
    """To the confirmation, and back to where the form is: what was sent is not kept."""
    if request.method == "GET":
        return redirect_to_login(request.get_full_path(), CONFIRM)
    messages.info(request, "Nothing was changed yet: confirm that it is you, then do it again.")
    came_from = urlsplit(request.headers.get("Referer", ""))
    is_ours = url_has_allowed_host_and_scheme(came_from.geturl(), {request.get_host()}) and came_from.path
    return redirect_to_login(came_from.path if is_ours else "/admin/", CONFIRM)
