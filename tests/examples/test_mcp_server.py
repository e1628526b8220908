"""The example's MCP server, asked by the SDK's own client over both of its ways."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from tests.stack import ROOT

COMMAND = ["-m", "examples.bikeshop.mcp_server"]
TOKEN = "a-token-of-this-test"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    command = [sys.executable, *COMMAND, "--http", "0", "--token", TOKEN]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split(" at ")[1].strip()
    finally:
        process.kill()
        process.wait()


async def _is_whole(client: Any) -> None:
    async with client:
        listed = await client.list_tools()
        assert [tool.name for tool in listed.tools] == ["find_store", "workshop_slots"]
        assert all(tool.annotations.read_only_hint for tool in listed.tools)
        stores = (await client.call_tool("find_store", {"city": "oslo"})).structured_content
        assert [store["store"] for store in stores["stores"]] == ["oslo"]
        free = (await client.call_tool("workshop_slots", {"store": "oslo"})).structured_content
        assert len(free["slots"]) == 6
        assert not any(slot.startswith("Sunday") for slot in free["slots"])
        assert (await client.call_tool("workshop_slots", {"store": "rome"})).is_error


async def test_over_stdio() -> None:
    await _is_whole(Client(stdio_client(StdioServerParameters(command=sys.executable, args=COMMAND, cwd=ROOT))))


async def test_over_http(url: str) -> None:
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}) as http:
        await _is_whole(Client(streamable_http_client(url, http_client=http)))


def test_over_http_only_with_its_token(url: str) -> None:
    assert httpx2.post(url, json={}).status_code == 401
