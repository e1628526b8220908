"""The socket addresses of the chat."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path

from support_agent.chat.consumers import ChatConsumer

socket: Any = ChatConsumer.as_asgi()  # path() is typed for views; the router calls ASGI applications
websocket_urlpatterns: list[URLPattern] = [path("ws/chat/<uuid:conversation_id>/", socket)]
