"""The shop's MCP server: where its stores are, and when a workshop has time. Nothing here can be changed.

python -m examples.bikeshop.mcp_server                            # over stdio
python -m examples.bikeshop.mcp_server --http 8901 [--token T]    # at http://127.0.0.1:8901/mcp
"""

from __future__ import annotations

import argparse
import asyncio
import hmac
import socket
from datetime import UTC, datetime
from typing import Annotated, Literal

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from examples.bikeshop.stores import STORES, WORKSHOP_HOURS, spoken, store_of, times

HOST, SHOWN = "127.0.0.1", 6
READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
server = MCPServer("fjell-cycles", instructions="Stores and workshop times of Fjell Cycles.", log_level="WARNING")


class FoundStore(BaseModel):
    store: str = Field(description="What workshop_slots is asked with.")
    name: str
    address: str
    hours: str


class FoundStores(BaseModel):
    stores: list[FoundStore]


class Slots(BaseModel):
    store: str
    slots: list[str] = Field(description="By the store's clock.")


@server.tool(annotations=READS)
def find_store(
    city: Annotated[str, Field(description="A city, or nothing for every store.", max_length=60)] = "",
) -> FoundStores:
    """Find the shop's own stores with address and opening hours. Use when a customer wants to visit or to
    bring a bike in. Do not use for where an order is."""
    wanted = city.strip().casefold()
    return FoundStores(
        stores=[
            FoundStore(store=store.key, name=store.name, address=store.address, hours=store.hours)
            for store in STORES
            if wanted in store.city.casefold()
        ]
    )


@server.tool(annotations=READS)
def workshop_slots(store: Annotated[Literal["oslo", "bergen"], Field(description="Of find_store.")]) -> Slots:
    """List the next free times of a store's workshop for repairs. Use when a customer wants a bike repaired. It books
    nothing: the customer calls the store or drops in."""
    found = store_of(store)
    free = [spoken(moment) for moment in times(WORKSHOP_HOURS, datetime.now(UTC))]
    return Slots(store=found.name if found else store, slots=free[:SHOWN])


class WithToken:
    """Lets nobody in without the bearer token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self.app, self.wanted = app, f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not hmac.compare_digest(self._given(scope), self.wanted):
            await JSONResponse({"error": "A bearer token is needed."}, status_code=401)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    @staticmethod
    def _given(scope: Scope) -> bytes:
        given: bytes = dict(scope["headers"]).get(b"authorization", b"")
        return given


async def serve_http(port: int, token: str) -> None:
    """Until it is ended; port 0 takes a free one."""
    app: ASGIApp = server.streamable_http_app(json_response=True)
    listening = socket.create_server((HOST, port))
    print(f"MCP at http://{HOST}:{listening.getsockname()[1]}/mcp", flush=True)
    config = uvicorn.Config(WithToken(app, token) if token else app, log_level="warning")
    await uvicorn.Server(config).serve(sockets=[listening])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.bikeshop.mcp_server", description="Fjell Cycles by MCP.")
    parser.add_argument("--http", type=int, metavar="PORT", help="serve HTTP at this port; without it, stdio")
    parser.add_argument("--token", default="", help="the bearer token that HTTP wants")
    chosen = parser.parse_args()
    if chosen.http is None:
        server.run("stdio")
    else:
        asyncio.run(serve_http(chosen.http, chosen.token))


if __name__ == "__main__":
    main()
