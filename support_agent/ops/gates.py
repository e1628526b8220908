"""Who may open the desk's own pages: staff by role. Everybody else is sent to the staff's sign-in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from tickets.access import require_role
from tickets.errors import NotAllowed, NotFound
from tickets.models import Role, User

View = Callable[..., HttpResponseBase]
READERS = (Role.AGENT, Role.LEAD, Role.OPS, Role.ADMIN)
ANSWERERS = (Role.AGENT, Role.LEAD, Role.ADMIN)
"""Who speaks to customers: ops look, and do nothing."""
MANAGERS = (Role.LEAD, Role.OPS, Role.ADMIN)
"""Who sees everybody's figures, exports them, and turns the switches."""


def staff_only(*roles: str) -> Callable[[View], View]:
    """Staff with one of these roles; other staff get 403. A conversation that is not there is a 404."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not (isinstance(request.user, User) and request.user.is_active and request.user.is_staff):
                return redirect_to_login(request.get_full_path(), "/admin/login/")
            try:
                require_role(request.user, *roles)
                return view(request, *args, **kwargs)
            except NotAllowed as refusal:
                raise PermissionDenied(refusal.message) from None
            except NotFound as missing:
                raise Http404(missing.message) from None

        return guarded

    return guard


def staff_of(request: HttpRequest) -> User:
    """The signed-in member of staff of a guarded view."""
    assert isinstance(request.user, User)
    return request.user
