"""Daphne with its buffers bounded: what a client sends without end, or does not read, costs this process little."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Generator
from contextlib import suppress
from typing import Any

import daphne.server
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import defer, reactor, task

from support_agent.sockets import MOST_UNREAD, UNREAD

MAX_FRAME = 64 * 1024
MAX_BODY = 16 * 1024 * 1024  # of a request; what is allowed is less, and its own page or call says so
CUT_BODY = 4 * MAX_BODY  # where we stop listening to one that only goes on
WAITING_FRAMES = 32  # of one socket, before its consumer; then we read no more of it
LOOK_AGAIN_S = 0.05
KERNEL_BUFFER = 128 * 1024  # what the kernel holds for a client that does not read; it would be megabytes
ANSWER_WITHIN_S = 10  # requests in progress when we are told to end
CLOSE_WITHIN_S = 5  # for a client to answer our close, and to read it behind what it had not read

clock: Any = reactor


class Socket(WebSocketProtocol):  # type: ignore[misc]
    """Reads no faster than its consumer works, and knows how much its client has not read."""

    is_paused = False

    def onConnect(self, request: Any) -> Any:
        with suppress(OSError, AttributeError):  # a socket file has no such buffer
            self.transport.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER)
        return super().onConnect(request)

    def unread(self) -> int:
        """Bytes that the kernel has not taken; twisted keeps them in two buffers and counts them for nobody."""
        transport = self.transport
        if not getattr(transport, "connected", False):
            return 0
        return int(len(transport.dataBuffer) - transport.offset + transport._tempDataLen)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        super().onMessage(payload, isBinary)
        if not self.is_paused and self.application_queue.qsize() >= WAITING_FRAMES:
            self.is_paused = True
            self.transport.pauseProducing()
            clock.callLater(LOOK_AGAIN_S, self._look_again)

    def onPing(self, payload: bytes) -> None:
        if self.unread() < MOST_UNREAD:  # answers pile up too
            super().onPing(payload)

    def _look_again(self) -> None:
        if self.state == self.STATE_CLOSED:
            return
        if self.application_queue.qsize() > WAITING_FRAMES // 2:
            clock.callLater(LOOK_AGAIN_S, self._look_again)
        else:
            self.is_paused = False
            self.transport.resumeProducing()


class SocketFactory(WebSocketFactory):  # type: ignore[misc]
    """Answers a frame past the limit with a close code (1009) where Autobahn would drop the connection."""

    protocol = Socket

    def resetProtocolOptions(self) -> None:
        super().resetProtocolOptions()
        self.failByDrop = False
        self.closeHandshakeTimeout = CLOSE_WITHIN_S


class Request(WebRequest):  # type: ignore[misc]
    """Keeps no more of a body than MAX_BODY, and answers 413 when there was more."""

    received = 0

    def handleContentChunk(self, data: bytes) -> None:
        self.received += len(data)
        if self.received <= MAX_BODY:
            super().handleContentChunk(data)
        elif self.received > CUT_BODY:
            self.channel.loseConnection()

    def process(self) -> Any:
        if self.received <= MAX_BODY:
            return super().process()
        body = {"type": "about:blank", "title": "Content Too Large", "status": 413, "code": "too_large"}
        headers = [(b"Content-Type", b"application/problem+json"), (b"Connection", b"close")]
        self.handle_reply({"type": "http.response.start", "status": 413, "headers": headers})
        self.handle_reply({"type": "http.response.body", "body": json.dumps(body).encode()})
        return None


class RequestFactory(HTTPFactory):  # type: ignore[misc]
    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = Request
        return protocol


class Server(daphne.server.Server):  # type: ignore[misc]
    """Daphne's, which makes its factories by these names."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.ports: list[Any] = []
        daphne.server.WebSocketFactory = SocketFactory
        daphne.server.HTTPFactory = RequestFactory

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> asyncio.Queue[Any] | None:
        if isinstance(protocol, Socket):
            scope["extensions"] = {UNREAD: {"bytes": protocol.unread}}
        queue: asyncio.Queue[Any] | None = super().create_application(protocol, scope)
        return queue

    def listen_success(self, port: Any) -> None:
        self.ports.append(port)
        super().listen_success(port)

    @defer.inlineCallbacks
    def kill_all_applications(self) -> Generator[defer.Deferred[Any], Any, None]:
        """When told to end: take nothing new, answer what is being asked, then let the sockets go (they come again)."""
        for port in self.ports:
            yield port.stopListening()
        for _ in range(round(ANSWER_WITHIN_S / LOOK_AGAIN_S)):
            if not self._answering():
                break
            yield task.deferLater(clock, LOOK_AGAIN_S)
        yield super().kill_all_applications()

    def _answering(self) -> bool:
        return any(
            isinstance(protocol, Request) and not details["application_instance"].done()
            for protocol, details in self.connections.items()
            if "application_instance" in details
        )
