"""The inbox's socket as its page sees it: a real handshake against the whole ASGI application."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import pytest
from channels.testing import WebsocketCommunicator
from django.test import Client

from support_agent.asgi import application
from tests.cast import Cast, make_cast
from tickets.db import in_db
from tickets.models import Conversation, User
from tickets.services.conversations import conversation_create
from tickets.services.escalations import escalation_open
from tickets.services.messages import message_post

Json = dict[str, Any]
WAIT_S = 6.0


class Page:
    """One open inbox: a browser with a session, and its socket."""

    def __init__(self, browser: Client, *, origin: str | None = "http://testserver", query: str = "") -> None:
        self.browser = browser
        cookie = browser.cookies.get("sessionid")
        headers = [(b"host", b"testserver")]
        headers += [(b"origin", origin.encode())] if origin else []
        headers += [(b"cookie", f"sessionid={cookie.value}".encode())] if cookie else []
        self._socket: Any = WebsocketCommunicator(application, f"/ws/inbox/{query}", headers)

    async def open(self) -> bool:
        return bool((await self._socket.connect(timeout=WAIT_S))[0])

    async def frame(self) -> Json:
        found: Json = json.loads(await self._socket.receive_from(timeout=WAIT_S))
        return found

    async def until(self, kind: str, **fields: object) -> Json:
        """The next frame of a type with these fields, those before it dropped."""
        while True:
            frame = await self.frame()
            if frame["type"] == kind and fields.items() <= frame.items():
                return frame

    async def closed(self) -> int:
        """The code it is closed with, whatever it says before."""
        while True:
            output = await self._socket.receive_output(timeout=WAIT_S)
            if output["type"] == "websocket.close":
                return int(output["code"])

    async def send(self, type: str, **fields: object) -> None:
        await self._socket.send_to(text_data=json.dumps({"type": type, **fields}, default=str))

    async def raw(self, text: str) -> None:
        await self._socket.send_to(text_data=text)

    async def silent(self) -> bool:
        return bool(await self._socket.receive_nothing(timeout=0.25))

    async def watch(self, conversation: Conversation) -> Json:
        """Open a thread; who is there before us is told, if anybody."""
        await self.send("watch", conversation_id=conversation.pk)
        await self.send("ping")
        return await self.until("pong")

    async def hang_up(self) -> None:
        await self._socket.disconnect(timeout=WAIT_S)


@pytest.fixture
async def people(transactional_db: None) -> Cast:
    return await in_db(make_cast)


@pytest.fixture
async def pages() -> AsyncIterator[Callable[..., Any]]:
    """Opens the inbox of a person; hangs up when the test ends."""
    made: list[Page] = []

    async def make(user: User | None, *, opened: bool = True, **options: Any) -> Page:
        browser = Client()
        if user is not None:
            await in_db(browser.force_login, user)
        made.append(Page(browser, **options))
        if opened:
            assert await made[-1].open()
            await made[-1].until("ready")
        return made[-1]

    yield make
    for page in made:
        await page.hang_up()


async def waiting(people: Cast) -> Conversation:
    def make() -> Conversation:
        conversation, _ = conversation_create(channel="chat", customer=people.owner, identity="session")
        message_post(conversation=conversation, client_message_id=uuid4(), text="Where is my tent?")
        escalation_open(conversation=conversation, reason="asked", team="billing")
        conversation.refresh_from_db()
        return conversation

    return await in_db(make)
