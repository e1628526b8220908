"""Every path of the product; each part keeps its own."""

from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django_rq.urls import get_admin_urlpatterns, get_api_urlpatterns

from support_agent.ops.gates import staff_only
from tickets.models import Role

queues = [*get_api_urlpatterns(), *get_admin_urlpatterns()]
for page in queues:
    page.callback = staff_only(Role.OPS.value, Role.ADMIN.value)(page.callback)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("support_agent.health")),
    path("", include("support_agent.ops.urls")),  # before the admin, whose folder it shares
    path("", include("support_agent.chat.urls")),
    path("", include("tickets.urls")),
    path("api/v1/", include("support_agent.chat.api.urls")),
    path("django-rq/", include((queues, "django_rq"))),
    path("admin/", admin.site.urls),
]
