"""The ASGI application: HTTP by Django, sockets through our origin check."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "support_agent.settings")

from django.core.asgi import get_asgi_application

http = get_asgi_application()  # sets Django up, which the imports below need

from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter

from support_agent.chat import routing as chat
from support_agent.crowd import CrowdMiddleware
from support_agent.ops.live import routing as inbox
from support_agent.origins import OriginMiddleware
from support_agent.turnstile import Turnstile

routes: Any = [*chat.websocket_urlpatterns, *inbox.websocket_urlpatterns]
sockets = OriginMiddleware(CrowdMiddleware(AuthMiddlewareStack(URLRouter(routes))))
application = ProtocolTypeRouter({"http": Turnstile(http), "websocket": sockets})
