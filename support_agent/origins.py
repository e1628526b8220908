"""The door of every socket: the full origin (scheme, host and port) must be ours or an allowed one."""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

import structlog
from django.conf import settings
from django.http.request import split_domain_port, validate_host
from prometheus_client import Gauge

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]  # channels' own types name every event of ASGI

CONVERSATION = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(:(?P<port>[0-9]{1,5}))?", re.ASCII)
DEFAULT_PORTS = {"http": 80, "https": 443}

open_sockets = Gauge("desk_sockets", "Open sockets of the web process that answers.", registry=None)


def origin_of(text: str) -> tuple[str, str, int] | None:
    """(scheme, host, port) of an origin, with the default port filled in; None when it is none ("null" included).

    Nothing but these three: what has a user, a path or a sign no host has was not written by a browser.
    """
    found = ORIGIN.fullmatch(text.lower())
    if found is None:
        return None
    return found["scheme"], found["host"], int(found["port"] or DEFAULT_PORTS[found["scheme"]])


def origin_allowed(origin: str, own: str, allowed: Iterable[str]) -> bool:
    """Whether `origin` is the site's own or stands in the list; compared as a whole, never by host name alone."""
    found = origin_of(origin)
    return found is not None and found in {origin_of(own), *map(origin_of, allowed)}


def carries_token(scope: Scope) -> bool:
    """Whether the handshake brings a bearer token, as programs without an Origin do."""
    given = (value.strip() for key, value in scope["headers"] if key == b"authorization")
    if any(value[:7].lower() == b"bearer " for value in given):  # one without a token is none
        return True
    return bool(parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token"))


def host_allowed(host: str) -> bool:
    """As Django asks of every request: a name somebody pointed at us is not ours, and its pages no origin of ours."""
    name, _port = split_domain_port(host)
    return bool(name) and validate_host(name, settings.ALLOWED_HOSTS)


class OriginMiddleware:
    """Refuses a socket with a foreign Origin, or with none and no token, before it is accepted: HTTP 403."""

    def __init__(self, app: Any) -> None:
        self.app: App = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._passes(scope):
            ids = {"request_id": uuid.uuid4().hex}
            if found := CONVERSATION.search(scope["path"]):
                ids["conversation_id"] = found[0]
            # The ids are on every line this socket's task logs.
            with open_sockets.track_inprogress(), structlog.contextvars.bound_contextvars(**ids):
                return await self.app(scope, receive, send)
        await receive()  # the connect event; closing in answer to it is what makes the refusal a 403
        await send({"type": "websocket.close"})

    def _passes(self, scope: Scope) -> bool:
        headers = {key: value.decode("latin-1") for key, value in scope["headers"]}
        host, origin = headers.get(b"host", ""), headers.get(b"origin")
        if not host_allowed(host):
            return False
        if origin is None:
            return carries_token(scope)
        scheme = {"ws": "http", "wss": "https"}.get(scope.get("scheme", "ws"), "http")
        if settings.SECURE_PROXY_SSL_HEADER and headers.get(b"x-forwarded-proto") == "https":
            scheme = "https"
        return origin_allowed(origin, f"{scheme}://{host}", settings.ALLOWED_ORIGINS)
