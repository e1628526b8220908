"""Every path of the product; each part keeps its own."""

from __future__ import annotations

from importlib.util import find_spec

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = []
for module in ("support_agent.health", "support_agent.ops.urls", "support_agent.chat.urls", "tickets.urls"):
    if find_spec(module):
        urlpatterns.append(path("", include(module)))
if find_spec("support_agent.chat.api"):
    from support_agent.chat.api import api

    urlpatterns.append(path("api/v1/", api.urls))
urlpatterns += [
    path("django-rq/", include("django_rq.urls")),
    path("admin/", admin.site.urls),
]
