"""Who gets a socket, and what the inbox's frames do: real handshakes against the whole application."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.core.files.storage import InMemoryStorage

from support_agent.asgi import application
from support_agent.ops.live.consumer import InboxConsumer
from tests.security.matrix.table import Table, compare
from tests.security.matrix.test_pages import EVERYBODY
from tests.security.matrix.world import MISSING, Actor, World, make_world
from tickets.db import in_db
from tickets.models import Attachment

Json = dict[str, Any]
HOME = "http://testserver"
WAIT_S = 60.0
ORIGINS = {
    "none": None,
    "null": "null",
    "another port": "http://testserver:81",
    "another scheme": "https://testserver",
    "look-alikes": "http://testserver.evil.example",
    "a prefix": "http://evil-testserver",
    "a user": "http://testserver@evil.example",
    "a user of ours": "http://evil@testserver",
    "punycode": "http://xn--tstserver-e4a",
    "a path": "http://testserver/evil",
    "a file": "file://",
}


@pytest.fixture
def files() -> Iterator[None]:
    field = Attachment._meta.get_field("file")
    kept, field.storage = field.storage, InMemoryStorage()
    yield
    field.storage = kept


@pytest.fixture
async def committed(files: None, transactional_db: None) -> World:
    return await in_db(make_world)


class Socket:
    def __init__(self, actor: Actor, path: str, origin: str | None = HOME) -> None:
        headers = [(b"host", b"testserver")]
        headers += [(b"origin", origin.encode())] if origin is not None else []
        headers += [(b"cookie", f"sessionid={actor.cookie}".encode())] if actor.cookie else []
        headers += [(b"authorization", f"Bearer {actor.bearer}".encode())] if actor.bearer else []
        self._socket: Any = WebsocketCommunicator(application, path, headers)

    async def opened(self) -> str:
        """`open`, the code it was closed with, or `403` when the handshake was refused."""
        if not (await self._socket.connect(timeout=WAIT_S))[0]:
            return "403"
        first = await self._socket.receive_output(timeout=WAIT_S)
        return "open" if first["type"] == "websocket.send" else str(first["code"])

    async def cell(self, frame: Json) -> str:
        """What an inbox answers to one frame: the code of an error, or `done`."""
        for one in (frame, {"type": "ping"})[: 1 if frame["type"] == "ping" else 2]:
            await self._socket.send_to(text_data=json.dumps(one))
        answers: list[Json] = []
        while not answers or answers[-1]["type"] != "pong":
            answers.append(json.loads(await self._socket.receive_from(timeout=WAIT_S)))
        errors = [answer["code"] for answer in answers if answer["type"] == "error"]
        return str(errors[0]) if errors else "done"

    async def hang_up(self) -> None:
        await self._socket.disconnect(timeout=WAIT_S)


async def tried(actor: Actor, path: str, origin: str | None = HOME) -> str:
    socket = Socket(actor, path, origin)
    try:
        return await socket.opened()
    finally:
        await socket.hang_up()


async def test_who_gets_one(committed: World) -> None:
    world, found = committed, dict[str, dict[str, str]]()
    foreign = dict.fromkeys(EVERYBODY, "customer_b") | {"customer_b": "customer"}
    for name in EVERYBODY:
        actor = world.actors[name]
        ids = {
            "its conversation": world.places[actor.place].ids["conversation_id"],
            "somebody else's": world.places[foreign[name]].ids["conversation_id"],
            "none there is": MISSING,
        }
        for words, key in ids.items():
            found.setdefault(f"/ws/chat/ of {words}", {})[name] = await tried(actor, f"/ws/chat/{key}/")
        inbox = Socket(actor, "/ws/inbox/")
        cell = found.setdefault("/ws/inbox/", {})[name] = await inbox.opened()
        for kind in InboxConsumer.FRAMES:
            frame = {"type": kind, "conversation_id": ids["its conversation"], "seq": 1, "on": True}
            said = await inbox.cell(frame) if cell == "open" else "closed"
            found.setdefault(f"inbox: {kind}", {})[name] = said
            if cell == "open" and kind in ("watch", "read"):
                missing = await inbox.cell({**frame, "conversation_id": MISSING})
                found.setdefault(f"inbox: {kind}, none there is", {})[name] = missing
            elif kind in ("watch", "read"):
                found.setdefault(f"inbox: {kind}, none there is", {})[name] = "closed"
        await inbox.hang_up()
    table: Table = {(row,): cells for row, cells in found.items()}
    assert found["/ws/chat/ of somebody else's"] == found["/ws/chat/ of none there is"]
    compare("sockets.csv", table)


async def test_origins(committed: World) -> None:
    """With a cookie none but ours will do; with a token none at all will do as well, but a foreign one never."""
    actors, found = committed.actors, {}
    chat = f"/ws/chat/{committed.places['anon'].ids['conversation_id']}/"
    sockets = [(actors["anon"], chat), (actors["token"], chat), (actors["agent"], "/ws/inbox/")]
    for name, origin in ORIGINS.items():
        found[name] = [await tried(actor, path, origin) for actor, path in sockets]
    assert found == {name: ["403", "open" if name == "none" else "403", "403"] for name in ORIGINS}
    assert [await tried(actor, path) for actor, path in sockets] == ["open"] * 3
