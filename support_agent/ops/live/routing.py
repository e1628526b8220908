"""The socket address of the inbox."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path

from support_agent.ops.live.consumer import InboxConsumer

socket: Any = InboxConsumer.as_asgi()  # path() is typed for views; the router calls ASGI applications
websocket_urlpatterns: list[URLPattern] = [path("ws/inbox/", socket)]
