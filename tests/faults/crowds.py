"""Clients as light as bytes allow: sockets that only idle, that never read, that send too much; and one that lives."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import statistics
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from websockets.asyncio.client import connect

Json = dict[str, Any]
PING, PONG, TEXT, CLOSE = 0x9, 0xA, 0x1, 0x8


@dataclass(frozen=True, slots=True)
class Place:
    """A conversation and its bearer token."""

    url: str
    id: str
    token: str

    def handshake(self, after: int = 0) -> bytes:
        key = base64.b64encode(os.urandom(16)).decode()
        return (
            f"GET /ws/chat/{self.id}/?after={after} HTTP/1.1\r\nHost: {urlsplit(self.url).netloc}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Version: 13\r\nAuthorization: Bearer {self.token}\r\n\r\n"
        ).encode()


def begin(url: str) -> Place:
    request = urllib.request.Request(
        f"{url}/api/v1/conversations", data=b"{}", headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        made = json.load(answer)
    return Place(url, made["id"], made["token"])


def frame(opcode: int, payload: bytes) -> bytes:
    """A client's frame, masked with zeros."""
    size = len(payload)
    head = bytes([0x80 | opcode])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 65536:
        head += bytes([0x80 | 126]) + size.to_bytes(2, "big")
    else:
        head += bytes([0x80 | 127]) + size.to_bytes(8, "big")
    return head + bytes(4) + payload


class Idle(asyncio.Protocol):
    """Answers pings, as browsers do by themselves, and nothing else."""

    def __init__(self) -> None:
        self.is_upgraded = False
        self.is_lost = False
        self.said, self.end = asyncio.Event(), asyncio.Event()  # the first frame came; a close or the line's end
        self.codes: list[int] = []
        self._data = b""
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True
        self.end.set()
        self.said.set()

    def data_received(self, data: bytes) -> None:
        self._data += data
        if not self.is_upgraded:
            if b"\r\n\r\n" not in self._data:
                return
            head, _, self._data = self._data.partition(b"\r\n\r\n")
            assert b" 101 " in head.splitlines()[0], head
            self.is_upgraded = True
        while (found := self._next()) is not None:
            opcode, payload = found
            if opcode == PING:
                self.transport.write(frame(PONG, payload))
            elif opcode == CLOSE:
                self.codes.append(int.from_bytes(payload[:2], "big"))
                self.end.set()
                self.said.set()
                self.transport.write(frame(CLOSE, payload))
            elif opcode == TEXT:
                self.said.set()

    def _next(self) -> tuple[int, bytes] | None:
        if len(self._data) < 2:
            return None
        size, at = self._data[1] & 127, 2
        if size >= 126:
            wide = 2 if size == 126 else 8
            size, at = int.from_bytes(self._data[2 : 2 + wide], "big"), 2 + wide
        if len(self._data) < at + size:
            return None
        opcode, payload = self._data[0] & 15, self._data[at : at + size]
        self._data = self._data[at + size :]
        return opcode, payload


def address_of(place: Place) -> tuple[str, int]:
    parts = urlsplit(place.url)
    return parts.hostname or "", parts.port or 80


async def idle(place: Place) -> Idle:
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_connection(Idle, *address_of(place))
    protocol.transport.write(place.handshake())
    async with asyncio.timeout(120):
        await protocol.said.wait()
    return protocol


async def deaf(place: Place) -> socket.socket:
    """A socket with a small window that reads its handshake and never again; it tries again when that came too late."""
    while True:
        with suppress(ConnectionResetError):
            return await _deaf(place)


async def _deaf(place: Place) -> socket.socket:
    loop = asyncio.get_running_loop()
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    await loop.sock_connect(sock, address_of(place))
    await loop.sock_sendall(sock, place.handshake())
    async with asyncio.timeout(120):
        head = await loop.sock_recv(sock, 12)
    assert head == b"HTTP/1.1 101", head
    return sock


@dataclass
class Live:
    """A customer in the middle of it: sends, and notes how long each acknowledgement and pong takes, in seconds."""

    place: Place
    acks: list[float] = field(default_factory=list)
    pongs: list[float] = field(default_factory=list)

    async def go_on(self, until: asyncio.Event, pause: float = 0.5) -> None:
        headers = {"Authorization": f"Bearer {self.place.token}"}
        address = f"{self.place.url.replace('http', 'ws')}/ws/chat/{self.place.id}/"
        async with connect(address, additional_headers=headers, max_queue=None) as line:
            while not until.is_set():
                self.pongs.append(await _timed(line, {"type": "ping"}, "pong"))
                said = {"type": "message", "client_message_id": str(uuid4()), "text": "Hello, are you there?"}
                self.acks.append(await _timed(line, said, "ack"))
                await asyncio.sleep(pause)

    def figures(self) -> str:
        return f"ack {spread(self.acks)}, pong {spread(self.pongs)}, {len(self.acks)} messages"


async def _timed(line: Any, said: Json, kind: str) -> float:
    began = time.monotonic()
    await line.send(json.dumps(said))
    async with asyncio.timeout(60):
        while json.loads(await line.recv())["type"] != kind:
            pass
    return time.monotonic() - began


def spread(seconds: list[float]) -> str:
    """p50 / p95 in milliseconds."""
    return f"{1000 * statistics.median(seconds):.0f} / {1000 * p95(seconds):.0f} ms"


def p95(seconds: list[float]) -> float:
    return sorted(seconds)[int(0.95 * (len(seconds) - 1))]
