"""Every path of the product; each part keeps its own."""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, include, path
from django_rq.urls import get_admin_urlpatterns, get_api_urlpatterns
from rq.exceptions import NoSuchJobError

from support_agent.ops.gates import View, staff_only
from tickets.models import Role


def missing_is_404(view: View) -> View:
    """django-rq crashes over a job, worker or scheduler that is not there (any more)."""

    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except (NoSuchJobError, ValueError, AssertionError, ImproperlyConfigured):
            raise Http404("There is nothing here (any more).") from None

    return shown


queues = [*get_api_urlpatterns(), *get_admin_urlpatterns()]
for page in queues:
    page.callback = staff_only(Role.OPS.value, Role.ADMIN.value)(missing_is_404(page.callback))

handler500 = "support_agent.busy.failed"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("support_agent.health")),
    path("", include("support_agent.policy")),
    path("", include("support_agent.bundles")),
    path("", include("support_agent.sign_in.urls")),
    path("", include("support_agent.ops.urls")),  # before the admin, whose folder it shares
    path("", include("support_agent.case_pages")),
    path("", include("support_agent.chat.urls")),
    path("", include("tickets.urls")),
    path("api/v1/", include("support_agent.chat.api.urls")),
    path("django-rq/", include((queues, "django_rq"))),
    path("admin/", admin.site.urls),
]
