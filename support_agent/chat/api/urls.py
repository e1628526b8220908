"""The API's paths, each behind the door."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path

from support_agent.chat.api import api
from support_agent.chat.api.door import at_the_door, nothing_here

patterns, app_name, namespace = api.urls
for pattern in patterns:
    if isinstance(pattern, URLPattern):
        pattern.callback = at_the_door(pattern.callback)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include((patterns, app_name), namespace)),
    re_path("", at_the_door(nothing_here)),
]
