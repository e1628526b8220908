"""The API's paths, each behind the door."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path

from support_agent.chat.api import api
from support_agent.chat.api.door import at_the_door, nothing_here

operations, application, namespace = api.urls
for operation in operations:
    if isinstance(operation, URLPattern):
        operation.callback = at_the_door(operation.callback)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include((operations, application), namespace)),
    re_path("", at_the_door(nothing_here)),
]
