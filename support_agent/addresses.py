"""Where a request or socket comes from, as limits count it: behind a trusted proxy, and a whole IPv6 network as one."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from django.conf import settings


def client_address(meta: Mapping[str, Any]) -> str:
    """The caller's address; behind a trusted proxy the last hop that proxy wrote down, never one the client wrote."""
    if settings.TRUST_PROXY and (hops := meta.get("HTTP_X_FORWARDED_FOR", "")):
        return _counted(str(hops).rpartition(",")[2].strip())
    return _counted(str(meta.get("REMOTE_ADDR") or ""))


def address_of_scope(scope: Mapping[str, Any]) -> str:
    """The same for an ASGI scope."""
    hops = [value.decode("latin-1") for key, value in scope["headers"] if key == b"x-forwarded-for"]
    client = (scope.get("client") or ("", 0))[0]
    return client_address({"REMOTE_ADDR": client, "HTTP_X_FORWARDED_FOR": ",".join(hops)})


def is_inside(meta: Mapping[str, Any]) -> bool:
    """Whether a caller is of this machine or a private network, and no proxy we do not trust stands between."""
    if not settings.TRUST_PROXY and any(meta.get(name) for name in ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED")):
        return False
    try:
        found = ipaddress.ip_address(client_address(meta))
    except ValueError:
        return False
    return found.is_loopback or found.is_private


def _counted(address: str) -> str:
    """Without a port; of IPv6 the /64 that one customer is given, so that nobody has 2^64 addresses."""
    host = address[1:].partition("]")[0] if address.startswith("[") else address
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    if found.is_loopback:
        return str(found)
    return str(ipaddress.ip_network((found, 64), strict=False).network_address)
