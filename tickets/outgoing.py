"""A POST to an address somebody typed in: five seconds, no redirect, no proxy, and not into our own network.

The name is resolved once, every address is looked at, and the connection goes to the one that was looked at: a name
that answers differently the second time gains nothing. ALERT_WEBHOOK_PRIVATE or DEBUG allow the own network, and
plain http there.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

TIMEOUT_S = 5.0
READ_MOST = 1024
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# NAT64's well-known prefix, and the IPv4-compatible addresses of old.
LAST_FOUR_BYTES = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))
# NAT64's prefix for private use, and site-local addresses: Python calls both global.
OWN_NETWORKS = (ipaddress.IPv6Network("64:ff9b:1::/48"), ipaddress.IPv6Network("fec0::/10"))
USER_AGENT = "support-agent/1"


class Refused(Exception):
    """We do not send there; trying again is of no use."""


def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    """The answer's status. Raises Refused, or OSError when nothing came back in time."""
    parts = urlsplit(url)
    address = allowed_address(parts)
    headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT, **headers}
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    connection = _Pinned(parts, address)
    clock = threading.Timer(TIMEOUT_S, connection.cut)  # a receiver that drips is cut off too
    clock.daemon = True
    clock.start()
    try:
        connection.request("POST", path, body, dict(headers))
        answer = connection.getresponse()
        if connection.was_cut:  # in the middle of its headers, which then look like all of them
            raise TimeoutError
        answer.read(READ_MOST)
        return answer.status
    except (http.client.HTTPException, ValueError, OSError) as error:
        if connection.was_cut or isinstance(error, TimeoutError):
            raise TimeoutError(f"no answer within {TIMEOUT_S:.0f} seconds") from error
        if isinstance(error, OSError):
            raise
        raise OSError(f"no answer that is HTTP ({type(error).__name__})") from error
    finally:
        clock.cancel()
        connection.close()


def allowed_address(parts: SplitResult, switch: str = "ALERT_WEBHOOK_PRIVATE") -> str:
    """The IP address to connect to; `switch` is the setting that allows the own network.

    Raises Refused, or OSError when the name does not resolve."""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refused("not an http(s) address")
    found = socket.getaddrinfo(parts.hostname, _port(parts), type=socket.SOCK_STREAM)
    addresses = [str(info[4][0]) for info in found]
    is_private = not all(_is_public(address) for address in addresses)
    if is_private and not may_be_private(switch):
        raise Refused(f"an address of the own network: set {switch}=true to allow it")
    if parts.scheme == "http" and not is_private:
        raise Refused("plain http to a public address: use https")
    return addresses[0]


def may_be_private(switch: str = "ALERT_WEBHOOK_PRIVATE") -> bool:
    return bool(settings.DEBUG or getattr(settings, switch))


def _is_public(address: str) -> bool:
    found = _unwrapped(ipaddress.ip_address(address.partition("%")[0]))
    own = any(found in network for network in OWN_NETWORKS if network.version == found.version)
    return bool(found.is_global and not found.is_multicast and not own)


def _unwrapped(found: Address) -> Address:
    """The IPv4 address that an IPv6 one leads to through a translator or tunnel; else itself."""
    if isinstance(found, ipaddress.IPv4Address):
        return found
    if any(found in network for network in LAST_FOUR_BYTES):
        return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1] or found


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


class _Pinned(http.client.HTTPConnection):
    """A connection to one IP address that speaks, and checks the certificate, for the name."""

    def __init__(self, parts: SplitResult, address: str) -> None:
        self.default_port = 443 if parts.scheme == "https" else 80  # for the Host header
        super().__init__(parts.hostname or "", _port(parts), timeout=TIMEOUT_S)
        self._address, self._is_tls, self.was_cut = address, parts.scheme == "https", False

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), TIMEOUT_S)
        self.sock = plain  # to be cut even while TLS is spoken
        if self._is_tls:
            self.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)

    def cut(self) -> None:
        self.was_cut = True
        if self.sock is not None:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return


def address_trouble(target: str) -> str:
    """What is wrong with an address that somebody typed in, as a sentence; empty when nothing can be seen."""
    try:
        parts = urlsplit(target)
        _ = parts.port
    except ValueError:
        return "This is no address."
    if parts.scheme not in ("https", "http") or not parts.hostname:
        return "An address begins with https://"
    if parts.username or parts.password:
        return "A name and password in the address would end up in logs: the signature proves who calls."
    if parts.scheme == "http" and not _may_be_of_own_network(parts.hostname):
        return "Plain http is for addresses of your own network alone: use https://"
    return ""


def _may_be_of_own_network(host: str) -> bool:
    """Whether a host can be one of the own network; a name's address is looked at when something is sent."""
    try:
        return not ipaddress.ip_address(host.strip("[]")).is_global
    except ValueError:
        return True
