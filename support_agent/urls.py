"""Every path of the product; each part keeps its own."""

from __future__ import annotations

from importlib.util import find_spec

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django_rq.urls import get_admin_urlpatterns, get_api_urlpatterns

from support_agent.gates import ops_only

parts = ("support_agent.health", "support_agent.ops.urls", "support_agent.chat.urls", "tickets.urls")
urlpatterns: list[URLPattern | URLResolver] = [path("", include(part)) for part in parts if find_spec(part)]
queues = [*get_api_urlpatterns(), *get_admin_urlpatterns()]
for page in queues:
    page.callback = ops_only(page.callback)
urlpatterns += [
    path("api/v1/", include("support_agent.chat.api.urls")),
    path("django-rq/", include((queues, "django_rq"))),
    path("admin/", admin.site.urls),
]
