"""The public address as a browser meets it: DNS, certificate, redirect, HSTS, a socket, what is kept inside."""

from __future__ import annotations

import base64
import http.client
import secrets
import socket
import ssl
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from support_agent.doctor.finding import Finding, State
from support_agent.env import env

PATIENCE_S = 4.0
FEW, LITTLE = 0.1, 0.25  # of its whole life; proxies renew at a third
INSIDE = ("/readyz", "/metrics")


@dataclass(frozen=True, slots=True)
class Site:
    origin: str
    host: str
    port: int


def public_address() -> Iterator[Finding]:
    """Everything of ALLOWED_ORIGINS[0]; what fails ends the rest, which needs it."""
    origin = env.allowed_origins[0] if env.allowed_origins else ""
    parts = urlsplit(origin)
    if parts.scheme != "https" or not parts.hostname:
        yield Finding(
            "address", "missing", f"{origin or 'none'} is no https address", "ALLOWED_ORIGINS=https://your.host"
        )
        return
    site = Site(origin, parts.hostname, parts.port or 443)
    try:
        hours, share = _certificate(site)
        status, headers = _get(site, "/healthz")
    except ssl.SSLCertVerificationError as error:
        mend = "let the proxy get a certificate for this name"
        yield Finding("certificate", "missing", f"browsers refuse it: {error.verify_message}", mend)
        return
    except OSError as error:
        mend = "point its DNS here, open ports 80 and 443, start the proxy"
        yield Finding("address", "missing", f"{origin} does not answer: {error}", mend)
        return
    state: State = "missing" if share < FEW else "note" if share < LITTLE else "ok"
    left = f"{hours // 24} days" if hours > 48 else f"{hours} hours"
    yield Finding("certificate", state, f"valid for {left} more", "see in the proxy's log why it was not renewed")
    if status == 200:
        yield Finding("address", "ok", f"{origin} answers")
    else:
        yield Finding("address", "missing", f"{origin}/healthz answers {status}", "see the log of proxy and web")
    yield from _promises(site, headers)
    yield from _socket(site)
    yield from _kept_inside(site)


def _promises(site: Site, headers: http.client.HTTPMessage) -> Iterator[Finding]:
    if site.port == 443:
        yield _redirect(site)
    if "max-age" in headers.get("Strict-Transport-Security", ""):
        yield Finding("hsts", "ok", headers["Strict-Transport-Security"])
    else:
        mend = "set TRUST_PROXY=true, DEBUG=false and ALLOWED_HOSTS, and let the proxy send X-Forwarded-Proto"
        yield Finding("hsts", "missing", "browsers are not told to stay with https", mend)


def _redirect(site: Site) -> Finding:
    mend = "let the proxy send http to https"
    line = http.client.HTTPConnection(site.host, 80, timeout=PATIENCE_S)
    try:
        line.request("GET", "/")
        answer = line.getresponse()
    except OSError as error:
        return Finding("redirect", "note", f"http://{site.host} does not answer: {error}", "open port 80")
    finally:
        line.close()
    to = answer.headers.get("Location", "")
    if answer.status in (301, 302, 307, 308) and to.startswith(f"https://{site.host}"):
        return Finding("redirect", "ok", f"http leads to {to}")
    return Finding("redirect", "missing", f"http://{site.host} answers {answer.status}", mend)


def _socket(site: Site) -> Iterator[Finding]:
    """The handshake of a conversation that is not there: it is accepted, then closed with a code."""
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    lines = [
        f"GET /ws/chat/{uuid.uuid4()}/ HTTP/1.1", f"Host: {urlsplit(site.origin).netloc}", "Connection: Upgrade",
        "Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", f"Origin: {site.origin}",
    ]  # fmt: skip
    with _tls(site) as line:
        line.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        first = line.recv(4096).decode("latin-1").partition("\r\n")[0]
    if first.startswith("HTTP/1.1 101"):
        yield Finding("sockets", "ok", f"wss://{site.host} opens them")
    else:
        mend = "let the proxy pass on /ws/, Upgrade, Host and X-Forwarded-Proto; name the origin in ALLOWED_ORIGINS"
        yield Finding("sockets", "missing", f"a socket is answered {first or 'nothing'}", mend)


def _kept_inside(site: Site) -> Iterator[Finding]:
    shown = [path for path in INSIDE if _get(site, path)[0] in (200, 503)]
    if shown:
        yield Finding("inside", "missing", f"{' and '.join(shown)} answer from outside", "refuse them at the proxy")
    else:
        yield Finding("inside", "ok", f"{' and '.join(INSIDE)} stay inside")


def _tls(site: Site) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    plain = socket.create_connection((site.host, site.port), timeout=PATIENCE_S)
    try:
        return context.wrap_socket(plain, server_hostname=site.host)
    except BaseException:
        plain.close()
        raise


def _certificate(site: Site) -> tuple[int, float]:
    """Hours it is still valid, and their share of its life."""
    with _tls(site) as line:
        certificate = line.getpeercert() or {}
    begins, ends = (ssl.cert_time_to_seconds(str(certificate[name])) for name in ("notBefore", "notAfter"))
    left = ends - time.time()
    return int(left // 3600), left / (ends - begins)


def _get(site: Site, path: str) -> tuple[int, http.client.HTTPMessage]:
    line = http.client.HTTPSConnection(site.host, site.port, timeout=PATIENCE_S)
    try:
        line.request("GET", path)
        answer = line.getresponse()
        return answer.status, answer.headers
    finally:
        line.close()
