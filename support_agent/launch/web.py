"""`python -m support_agent.launch.web`: Daphne with the limits the product promises."""

from __future__ import annotations

import logging
import os
import resource
from contextlib import suppress
from typing import Any

from daphne.endpoints import build_endpoint_description_strings

from support_agent.env import env
from support_agent.launch.server import MAX_FRAME, Server


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "support_agent.settings")
    from django.urls import get_resolver

    from support_agent.asgi import application

    _ = get_resolver().url_patterns  # a page that cannot be imported stops the start, not the first visitor
    _as_many_files_as_allowed()
    proxy: dict[str, Any] = (
        {
            "proxy_forwarded_address_header": "X-Forwarded-For",
            "proxy_forwarded_port_header": "X-Forwarded-Port",
            "proxy_forwarded_proto_header": "X-Forwarded-Proto",
        }
        if env.trust_proxy
        else {}
    )
    Server(
        application=application,
        endpoints=build_endpoint_description_strings(host=env.host.strip("[]"), port=env.port),
        websocket_max_message_size=MAX_FRAME,
        websocket_max_frame_size=MAX_FRAME,
        websocket_handshake_timeout=20,  # in a crowd the database is asked late
        server_name="",
        verbosity=0,  # its access log would print the tokens of addresses; RequestMiddleware logs
        **proxy,
    ).run()
    logging.shutdown()
    # A thread whose request was cut waits for an answer that never comes, and the interpreter would wait for it.
    os._exit(0)


def _as_many_files_as_allowed() -> None:
    """A socket is an open file, and a shell's usual 1,024 are few."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
