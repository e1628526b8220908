"""Who may open the pages of one's own sign-in: every member of staff; of others', admins."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache

from tickets.models import User

View = Callable[..., HttpResponseBase]


def own_page(view: View) -> View:
    """Any member of staff, with a role or not yet."""

    @wraps(view)
    @never_cache
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not (isinstance(request.user, User) and request.user.is_staff):
            return redirect_to_login(request.get_full_path(), "/admin/login/")
        return view(request, *args, **kwargs)

    return guarded
