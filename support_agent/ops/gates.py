"""Who may open the desk's own pages: staff by role. Everybody else is sent to the staff's sign-in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import add_never_cache_headers

from tickets.access import require_role
from tickets.errors import NotAllowed, NotFound
from tickets.models import User

View = Callable[..., HttpResponseBase]


def staff_only(*roles: str) -> Callable[[View], View]:
    """Staff with one of these roles; other staff get 403. A conversation that is not there is a 404."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not (isinstance(request.user, User) and request.user.is_active and request.user.is_staff):
                return redirect_to_login(request.get_full_path(), "/admin/login/")
            try:
                require_role(request.user, *roles)
                answer = view(request, *args, **kwargs)
            except NotAllowed as refusal:
                raise PermissionDenied(refusal.message) from None
            except NotFound as missing:
                raise Http404(missing.message) from None
            add_never_cache_headers(answer)  # after signing out, "back" must not show customers' words
            return answer

        return guarded

    return guard


def staff_of(request: HttpRequest) -> User:
    """The signed-in member of staff of a guarded view."""
    assert isinstance(request.user, User)
    return request.user
