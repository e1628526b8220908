"""A server as an address: looked at as webhooks' addresses are, one origin, no proxy, no redirect elsewhere, capped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx2
from mcp.client.streamable_http import streamable_http_client

from support_agent.runtime.mcp.spec import MAX_BYTES, Spec
from tickets.outgoing import Refused, allowed_address

CONNECT_S, READ_S = 5.0, 35.0


@asynccontextmanager
async def http_streams(spec: Spec) -> AsyncIterator[Any]:
    """The SDK's pair of streams."""
    limits = httpx2.Timeout(READ_S, connect=CONNECT_S)
    headers = {"Accept-Encoding": "identity", **dict(spec.secrets)}
    client = httpx2.AsyncClient(
        transport=_Guarded(spec.url), headers=headers, timeout=limits, trust_env=False, follow_redirects=False
    )
    async with client, streamable_http_client(spec.url, http_client=client, max_sse_event_size=MAX_BYTES) as streams:
        yield streams


class _Guarded(httpx2.AsyncBaseTransport):
    """Every request goes to the one address that was looked at, speaks for the name, and is answered within bounds."""

    def __init__(self, url: str) -> None:
        self._origin = _origin(url)
        self._inner = httpx2.AsyncHTTPTransport(trust_env=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if _origin(str(request.url)) != self._origin:
            raise httpx2.ConnectError("another address than the one that staff entered")
        try:
            address = await asyncio.to_thread(allowed_address, urlsplit(str(request.url)), "MCP_PRIVATE")
        except (Refused, OSError) as error:
            raise httpx2.ConnectError(str(error)) from error
        request.extensions = {**request.extensions, "sni_hostname": request.url.host}
        request.url = request.url.copy_with(host=address)
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise httpx2.RemoteProtocolError("a compressed answer, which was not asked for")
        response.stream = _Capped(response.stream)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Capped(httpx2.AsyncByteStream):
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = 0
        async for chunk in self._inner:
            received += len(chunk)
            if received > MAX_BYTES:
                raise httpx2.ReadError(f"more than {MAX_BYTES:,} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port
