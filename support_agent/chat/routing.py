"""The socket addresses of the chat."""

from __future__ import annotations

from django.urls import URLPattern, path

from support_agent.chat.consumers import ChatConsumer

websocket_urlpatterns: list[URLPattern] = [path("ws/chat/<uuid:conversation_id>/", ChatConsumer.as_asgi())]
