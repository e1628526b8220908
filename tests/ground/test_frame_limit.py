"""A frame past 64 KiB closes its socket with a code a client can read, and only that one."""

from __future__ import annotations

import json
import urllib.request

import pytest
from websockets.asyncio.client import connect

from tests.stack import Stack


def conversation(stack: Stack) -> tuple[str, str]:
    """A new conversation's socket address and token."""
    request = urllib.request.Request(
        f"{stack.url}/api/v1/conversations", data=b"{}", headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        made = json.load(answer)
    return f"{stack.url.replace('http', 'ws')}/ws/chat/{made['id']}/", made["token"]


@pytest.mark.timeout(120)
async def test_a_frame_past_the_limit_is_closed_with_1009(stack: Stack) -> None:
    address, token = conversation(stack)
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        connect(address, additional_headers=headers) as other,
        connect(address, additional_headers=headers) as big,
    ):
        assert json.loads(await big.recv())["type"] == "ready"
        await big.send(json.dumps({"type": "ping", "padding": "x" * 70_000}))
        await big.wait_closed()
        assert big.close_code == 1009
        assert json.loads(await other.recv())["type"] == "ready"
        await other.send(json.dumps({"type": "ping"}))
        assert json.loads(await other.recv())["type"] == "pong"
