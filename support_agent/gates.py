"""Who may open a page that is not about one conversation."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from tickets.access import staff_roles
from tickets.models import Role, User

View = Callable[..., HttpResponseBase]


def ops_only(view: View) -> View:
    """Ops and admins; staff of other roles get 403, everybody else the staff's sign-in."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if not (isinstance(user, User) and user.is_active and user.is_staff):
            return redirect_to_login(request.get_full_path(), "/admin/login/")
        if not staff_roles(user) & {Role.OPS.value, Role.ADMIN.value}:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded
