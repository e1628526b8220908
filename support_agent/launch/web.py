"""`python -m support_agent.launch.web`: Daphne with the limits the product promises."""

from __future__ import annotations

import os
from typing import Any

import daphne.server
from daphne.endpoints import build_endpoint_description_strings

from support_agent.env import env

MAX_FRAME = 64 * 1024


class ClosingFactory(daphne.server.WebSocketFactory):  # type: ignore[misc]
    """Answers a frame past the limit with a close code (1009) where Autobahn would drop the connection."""

    def resetProtocolOptions(self) -> None:
        super().resetProtocolOptions()
        self.failByDrop = False


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "support_agent.settings")
    from django.urls import get_resolver

    from support_agent.asgi import application

    _ = get_resolver().url_patterns  # a page that cannot be imported stops the start, not the first visitor
    daphne.server.WebSocketFactory = ClosingFactory  # the server makes its factory by this name
    proxy: dict[str, Any] = (
        {
            "proxy_forwarded_address_header": "X-Forwarded-For",
            "proxy_forwarded_port_header": "X-Forwarded-Port",
            "proxy_forwarded_proto_header": "X-Forwarded-Proto",
        }
        if env.trust_proxy
        else {}
    )
    daphne.server.Server(
        application=application,
        endpoints=build_endpoint_description_strings(host=env.host.strip("[]"), port=env.port),
        websocket_max_message_size=MAX_FRAME,
        websocket_max_frame_size=MAX_FRAME,
        websocket_handshake_timeout=10,
        server_name="",
        verbosity=0,  # its access log would print the tokens of addresses; RequestMiddleware logs
        **proxy,
    ).run()


if __name__ == "__main__":
    main()
