"""The API's paths, each behind the door."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.decorators.http import require_safe

from support_agent.chat.api import api
from support_agent.chat.api.door import at_the_door, nothing_here

TO_READ = ("openapi-json", "openapi-view")  # ninja gives these to whatever method

operations, application, namespace = api.urls
for operation in operations:
    if isinstance(operation, URLPattern):
        view = require_safe(operation.callback) if operation.name in TO_READ else operation.callback
        operation.callback = at_the_door(view)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include((operations, application), namespace)),
    re_path("", at_the_door(nothing_here)),
]
