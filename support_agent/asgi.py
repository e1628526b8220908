"""The ASGI application: HTTP by Django, sockets through our origin check."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "support_agent.settings")

from django.core.asgi import get_asgi_application

http = get_asgi_application()  # sets Django up, which the imports below need

from typing import Any  # noqa: E402

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from support_agent.chat.routing import websocket_urlpatterns  # noqa: E402
from support_agent.origins import OriginMiddleware  # noqa: E402

routes: Any = websocket_urlpatterns
application = ProtocolTypeRouter({"http": http, "websocket": OriginMiddleware(AuthMiddlewareStack(URLRouter(routes)))})
