"""The customer's socket as a program sees it: a real handshake against the whole ASGI application."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from channels.testing import WebsocketCommunicator
from django.test import Client

from support_agent.asgi import application
from support_agent.chat.visitors import SESSION_KEY
from support_agent.runtime.controls import forget
from tests.cast import Cast, make_cast
from tickets.db import in_db
from tickets.models import Conversation, Customer, User
from tickets.services.conversations import conversation_create

Json = dict[str, Any]
ORIGIN = "http://testserver"
WAIT_S = 5.0


class Line:
    """One socket: what it says, frame by frame."""

    def __init__(
        self,
        conversation_id: UUID,
        *,
        cookie: str = "",
        origin: str | None = ORIGIN,
        address: str = "127.0.0.1",
        **query: object,
    ) -> None:
        headers = [(b"host", b"testserver")]
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        if cookie:
            headers.append((b"cookie", f"sessionid={cookie}".encode()))
        path = f"/ws/chat/{conversation_id}/?{urlencode(query)}"
        self._socket: Any = WebsocketCommunicator(application, path, headers)
        self._socket.scope["client"] = (address, 12345)

    async def open(self) -> bool:
        """Whether the socket was accepted (a refusal with a code comes after)."""
        return bool((await self._socket.connect(timeout=WAIT_S))[0])

    async def text(self) -> str:
        """The next frame as it came."""
        return str(await self._socket.receive_from(timeout=WAIT_S))

    async def frame(self) -> Json:
        found: Json = json.loads(await self.text())
        return found

    async def until(self, kind: str) -> Json:
        """The next frame of a type, those before it dropped."""
        while True:
            frame = await self.frame()
            if frame["type"] == kind:
                return frame

    async def closed(self) -> int:
        """The code it is closed with."""
        output = await self._socket.receive_output(timeout=WAIT_S)
        assert output["type"] == "websocket.close", output
        return int(output["code"])

    async def send(self, **frame: object) -> None:
        await self.raw(json.dumps(frame, default=str))

    async def raw(self, text: str) -> None:
        await self._socket.send_to(text_data=text)

    async def silent(self) -> bool:
        return bool(await self._socket.receive_nothing(timeout=0.2))

    async def hang_up(self) -> None:
        await self._socket.disconnect(timeout=WAIT_S)


@pytest.fixture
async def people(transactional_db: None) -> Cast:
    return await in_db(make_cast)


@pytest.fixture
async def lines() -> AsyncIterator[Callable[..., Line]]:
    """Makes sockets and hangs them up when the test ends."""
    made: list[Line] = []

    def make(conversation_id: UUID, **options: Any) -> Line:
        made.append(Line(conversation_id, **options))
        return made[-1]

    yield make
    for line in made:
        with suppress(asyncio.CancelledError):  # a socket that a failing test gave up on; else nothing is cleared up
            await line.hang_up()


async def begin(customer: Customer | None = None) -> tuple[Conversation, str]:
    """A conversation and its bearer token."""
    identity = Conversation.Identity.SESSION if customer else ""
    return await in_db(conversation_create, channel="chat", customer=customer, identity=identity, with_token=True)


async def browser_session(user: User | None = None, *conversations: Conversation) -> str:
    """The cookie of a browser in which these conversations began."""

    def make() -> str:
        client = Client()
        if user is not None:
            client.force_login(user)
        session = client.session
        session[SESSION_KEY] = [str(found.pk) for found in conversations]
        session.save()
        return str(session.session_key)

    return await in_db(make)


def said(text: str = "Hello", client_message_id: UUID | None = None) -> Json:
    """A message frame."""
    return {"type": "message", "client_message_id": client_message_id or uuid4(), "text": text}


@pytest.fixture(autouse=True)
def switches_read_anew() -> None:
    """What another file's test switched is kept for seconds: nobody here may find the desk paused by it."""
    forget()
