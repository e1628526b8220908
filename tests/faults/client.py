"""A customer's client as strict as the contract: it keeps all it saw, comes back by itself, and notes what may not be.

It says each message until it is acknowledged, with the same `client_message_id`, and follows the events with `?after=`.
Whatever breaks the contract is a line in `problems`; nothing raises meanwhile.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import websockets

Json = dict[str, Any]
SILENT = {"human", "closed"}


@dataclass(slots=True)
class Said:
    """One message of the customer, from its saying to its turn's end; times are time.monotonic()."""

    text: str
    id: str = field(default_factory=lambda: str(uuid4()))
    at: float = field(default_factory=time.monotonic)
    message_id: str = ""
    turn_id: str = ""
    ended_at: float | None = None
    state: str = ""


class Client:
    """`open` begins to follow, `say` speaks, `answered` waits for a turn's end, `close` leaves."""

    def __init__(self, bases: Sequence[str], conversation_id: str, token: str) -> None:
        """`bases` are the web processes, such as ws://127.0.0.1:8000: it begins with the first, and goes on in turn."""
        self.bases, self.conversation_id, self.token = bases, conversation_id, token
        self.events: list[Json] = []
        self.frames: list[Json] = []
        self.said: dict[str, Said] = {}
        self.problems: list[str] = []
        self.connections = 0
        self.base = bases[0]
        self._shown: dict[str, str] = {}  # the deltas of each message that stands unfinished
        self._over: set[str] = set()
        self._silent = False  # this socket has sent a status in which the assistant is silent
        self._changed = asyncio.Condition()
        self._socket: websockets.ClientConnection | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def seq(self) -> int:
        return int(self.events[-1]["seq"]) if self.events else 0

    @property
    def status(self) -> str:
        found = [event["status"] for event in self.events if event["type"] == "status"]
        return str(found[-1]) if found else "ai"

    def open(self) -> None:
        self._task = asyncio.create_task(self._follow())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def say(self, text: str) -> Said:
        """Say it now, and again on every new connection until it is acknowledged."""
        said = Said(text)
        self.said[said.id] = said
        await self.send(_message(said))
        return said

    async def send(self, frame: Json) -> None:
        """One frame on the connection there is; none is no error."""
        if self._socket is not None:
            try:
                await self._socket.send(json.dumps(frame))
            except websockets.ConnectionClosed:
                return

    async def drop(self) -> None:
        """Break the connection as a phone in a tunnel does; it is opened again at once."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def until(self, check: Callable[[], object], seconds: float, what: str) -> None:
        """Raises AssertionError with what was waited for."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(check)
        except TimeoutError:
            raise AssertionError(f"{self.conversation_id}: waited {seconds:g} s for {what}") from None

    async def acknowledged(self, said: Said, seconds: float = 60.0) -> None:
        await self.until(lambda: said.message_id, seconds, f"the acknowledgement of {said.text!r}")

    async def answered(self, said: Said, seconds: float = 120.0) -> Said:
        await self.until(lambda: said.ended_at, seconds, f"the end of the turn of {said.text!r}")
        return said

    async def shows_text(self, seconds: float = 60.0) -> None:
        await self.until(lambda: self._shown, seconds, "a delta")

    async def _follow(self) -> None:
        """Connect, and connect again, for ever."""
        for base in itertools.cycle(self.bases):
            self.base = base
            url = f"{self.base}/ws/chat/{self.conversation_id}/?after={self.seq}"
            headers = {"Authorization": f"Bearer {self.token}"}
            try:
                async with websockets.connect(
                    url, additional_headers=headers, open_timeout=10, ping_interval=None, proxy=None
                ) as socket:
                    self._socket, self._silent = socket, False
                    self.connections += 1
                    await self._listen(socket)
            except (OSError, TimeoutError, websockets.WebSocketException):
                pass
            finally:
                self._socket = None
            await asyncio.sleep(0.1)

    async def _listen(self, socket: websockets.ClientConnection) -> None:
        async for raw in socket:
            frame: Json = json.loads(raw)
            if frame["type"] == "ready":
                for said in self.said.values():
                    if not said.message_id:
                        await socket.send(json.dumps(_message(said)))
            self.take(frame)
            async with self._changed:
                self._changed.notify_all()

    def take(self, frame: Json) -> None:
        """One frame as it came."""
        self.frames.append(frame)
        if "seq" in frame and frame["type"] != "ack":
            self._take_event(frame)
        else:
            self._take_passing(frame)

    def _take_event(self, event: Json) -> None:
        if event["seq"] != self.seq + 1:
            self.problems.append(f"I5: event {event['seq']} came after {self.seq}")
        self.events.append(event)
        match event["type"]:
            case "status":
                self._silent = event["status"] in SILENT
            case "message":
                self._take_message(event["message"])
            case "turn":
                self._end_turn(event["turn_id"], event["state"])

    def _take_message(self, message: Json) -> None:
        if message["role"] == "customer" and (said := self.said.get(message.get("client_message_id", ""))):
            said.turn_id = message.get("turn_id", "")
        if message["role"] != "assistant":
            return
        if self.status in SILENT:
            self.problems.append(f"I10: the assistant spoke in the status {self.status}")
        if message.get("turn_id") in self._over:
            self.problems.append("I5: a message of a turn that had ended")
        shown = self._shown.pop(message["id"], "")
        if not message["text"].startswith(shown):
            self.problems.append(f"I5: shown was {shown!r}, which does not begin {message['text']!r}")

    def _end_turn(self, turn_id: str, state: str) -> None:
        if turn_id in self._over:
            self.problems.append("I2: a turn ended twice")
        self._over.add(turn_id)
        for said in self.said.values():
            if said.turn_id == turn_id and said.ended_at is None:
                said.ended_at, said.state = time.monotonic(), state

    def _take_passing(self, frame: Json) -> None:
        match frame["type"]:
            case "ready":
                self._shown.clear()
            case "ack":
                said = self.said[frame["client_message_id"]]
                if said.message_id not in ("", frame["message_id"]):
                    self.problems.append("I1: one message was acknowledged as two")
                said.message_id = frame["message_id"]
            case "delta":
                self._take_delta(frame)
            case "retract":
                self._shown.pop(frame["message_id"], None)
            case "moved":
                self.problems.append("moved to another conversation")

    def _take_delta(self, delta: Json) -> None:
        if self._silent:
            self.problems.append("I10: a delta after a person took over")
        if delta["turn_id"] in self._over:
            self.problems.append("I5: a delta of a turn that had ended")
        known = self._shown.get(delta["message_id"], "" if delta["offset"] == 0 else None)
        if known is None or len(known) != delta["offset"]:
            return  # a hole: the finished message will tell
        self._shown[delta["message_id"]] = known + delta["text"]

    @property
    def unfinished(self) -> list[str]:
        """Texts that stand before the customer's eyes and belong to no finished message; empty once all is at rest."""
        return list(self._shown.values())


def call(urls: Sequence[str], path: str, body: bytes, token: str = "") -> Any:
    """One POST to the HTTP API, at the next web process when one is gone. Raises AssertionError when it is refused."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    for url in itertools.islice(itertools.cycle(urls), 100):
        request = urllib.request.Request(url + path, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code < 500:
                raise AssertionError(f"{path}: {error.code} {error.read()[:500]!r}") from None
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"{path} was not answered")


async def fifty_times(client: Client, said: Said, urls: Sequence[str]) -> None:
    """What was just said, 25 times more by socket and 25 by HTTP, all at once: one message comes of it."""
    body = json.dumps({"client_message_id": said.id, "text": said.text}).encode()
    path = f"/api/v1/conversations/{client.conversation_id}/messages"
    posts = [asyncio.to_thread(call, urls[number % len(urls) :], path, body, client.token) for number in range(25)]
    answers = await asyncio.gather(*posts, *(client.send(_message(said)) for _ in range(25)))
    ids = {answer["message"]["id"] for answer in answers if answer}
    await client.acknowledged(said)
    assert ids == {said.message_id}, f"I1: one message was answered as {ids}"


def _message(said: Said) -> Json:
    return {"type": "message", "client_message_id": said.id, "text": said.text}
