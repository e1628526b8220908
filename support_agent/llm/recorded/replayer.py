"""The transport that answers from a cassette and from nowhere else; what differs from the recording is an error."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from support_agent.llm.recorded.cassette import Cassette, Exchange, Thread, load
from support_agent.llm.recorded.difference import Difference, ReplayError, differences, report
from support_agent.llm.recorded.events import told, unfolded
from support_agent.llm.recorded.normal import normal_request
from support_agent.llm.recorded.tape import Begun, current, on_tape
from support_agent.llm.recorded.values import Hiding, Values

Json = dict[str, Any]
RETRIED = {"ReadTimeout", "ConnectTimeout", "ConnectError", "ReadError", "RemoteProtocolError"}


@contextmanager
def replaying(path: Path, *, hiding: Hiding, only: Collection[str] | None = None) -> Iterator[Replaying]:
    """Answer from the file. At the end raises ReplayError for any difference, and for recorded calls that nobody made
    in the conversations of `only` (all, when None). Raises CassetteError."""
    tape = Replaying(load(path), hiding)
    try:
        with on_tape(tape):
            yield tape
    except Exception as error:
        if tape.differences:  # what went wrong did so because of them
            raise ReplayError(tape.report(tape.differences)) from error
        raise
    tape.check(only)


@dataclass
class _Playing:
    """A conversation under way: its recorded calls, how far it has come, and today's values."""

    thread: Thread | None
    values: Values
    name: str
    made: int = 0
    lost: bool = False


@dataclass(eq=False)
class Replaying(httpx2.AsyncBaseTransport):
    """A transport without a network. `differences` are those found so far."""

    cassette: Cassette
    hiding: Hiding
    differences: list[Difference] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._free = list(self.cassette.threads)
        self._playing: dict[Begun | str, _Playing] = {}

    def begin(self, begun: Begun) -> None:
        thread = next((thread for thread in self._free if thread.name == begun.name), None)
        self._claim(begun, thread, begun.name)
        begun.at = thread.at if thread else begun.at

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        content = await request.aread()
        playing, normal = self._asked(request, content)
        if playing.lost:
            return _stopped("the replay of this conversation has ended")
        exchange = self._answer_to(playing, normal)
        if exchange is None:
            return _stopped("this call was not recorded")
        response = exchange.response
        if error := response.get("fails"):
            raise _error(error)
        return httpx2.Response(response["status"], headers=response["headers"], stream=_Told(self, playing, response))

    def check(self, only: Collection[str] | None = None) -> None:
        """Raises ReplayError for what differed and for what was left over."""
        found = self.differences + list(self._left_over(only))
        if found:
            raise ReplayError(self.report(found))

    def report(self, found: Iterable[Difference]) -> str:
        return report(found, self.cassette.recorded, str(self.cassette.about.get("renew", "")))

    def lose(self, playing: _Playing, call: int, lines: Iterable[str]) -> None:
        """From here on this conversation is not the recorded one."""
        playing.lost = True
        title = playing.thread.title if playing.thread else playing.name or "conversation"
        self.differences.append(Difference(title, call, tuple(lines)))

    def _asked(self, request: httpx2.Request, content: bytes) -> tuple[_Playing, Json]:
        """The conversation of this request, and its normal form."""
        key = current()
        if key in self._playing:
            playing = self._playing[key]
            if isinstance(key, Begun) and not playing.made:
                playing.values.know(key.known)
            return playing, normal_request(request, content, playing.values)
        values = Values(self.hiding)
        normal = normal_request(request, content, values)
        unnamed = [thread for thread in self._free if not thread.name and thread.exchanges]
        same = [thread for thread in unnamed if thread.exchanges[0].request == normal]
        thread = next(iter(same or unnamed), None)
        return self._claim(key, thread, "", values), normal

    def _claim(self, key: Begun | str, thread: Thread | None, name: str, values: Values | None = None) -> _Playing:
        if thread is not None:
            self._free.remove(thread)
        self._playing[key] = _Playing(thread, values or Values(self.hiding), name)
        return self._playing[key]

    def _answer_to(self, playing: _Playing, normal: Json) -> Exchange | None:
        recorded = playing.thread.exchanges if playing.thread else []
        if playing.made < len(recorded) and recorded[playing.made].request == normal:
            playing.made += 1
            return recorded[playing.made - 1]
        if playing.made and recorded[playing.made - 1].request == normal and _is_trouble(recorded[playing.made - 1]):
            return recorded[playing.made - 1]  # a second try for which the recording had no time: the same again
        if playing.thread is None:
            lines = ["nothing was recorded for it"]
        elif playing.made == len(recorded):
            lines = [f"only {len(recorded)} calls were recorded; this is another: {_last(normal)}"]
        else:
            lines = differences(recorded[playing.made].request, normal)
        self.lose(playing, playing.made + 1, lines)
        return None

    def _left_over(self, only: Collection[str] | None) -> Iterator[Difference]:
        for playing in self._playing.values():
            thread = playing.thread
            if thread and not playing.lost and playing.made < len(thread.exchanges):
                line = f"recorded, but never asked for: {_last(thread.exchanges[playing.made].request)}"
                yield Difference(thread.title, playing.made + 1, (line,))
        for thread in self._free:
            if thread.exchanges and (only is None or thread.name in only):
                yield Difference(thread.title, 1, ("recorded, but the conversation never began",))


class _Told(httpx2.AsyncByteStream):
    """A recorded answer with today's values, up to where and how it ended."""

    def __init__(self, tape: Replaying, playing: _Playing, response: Json) -> None:
        self._tape, self._playing, self._response = tape, playing, response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        response, show = self._response, self._playing.values.show
        for event in unfolded(response.get("events", ())):
            yield told(_shown(event, show))
        if "body" in response:
            yield json.dumps(_shown(response["body"], show)).encode()
        if "text" in response:
            yield show(response["text"]).encode()
        if response["end"] == "left":
            self._tape.lose(self._playing, self._playing.made, ["reads on where the recording stopped reading"])
        if response["end"] != "whole":
            raise _error(response["end"])


def _is_trouble(exchange: Exchange) -> bool:
    response = exchange.response
    return response.get("status", 0) >= 400 or {response.get("fails"), response.get("end")} & RETRIED != set()


def _stopped(why: str) -> httpx2.Response:
    """An answer after which a client neither tries again nor thinks the model away."""
    error = {"type": "invalid_request_error", "message": f"replay: {why}"}
    return httpx2.Response(400, headers={"x-should-retry": "false"}, json={"type": "error", "error": error})


def _error(name: str) -> httpx2.TransportError:
    kind = getattr(httpx2, name, None)
    known = isinstance(kind, type) and issubclass(kind, httpx2.TransportError)
    return kind("as recorded") if known else httpx2.RemoteProtocolError("as recorded")  # type: ignore[misc]


def _last(normal: Json) -> str:
    """The end of a request's last message, for people."""
    message = (normal.get("messages") or [{}])[-1]
    text = json.dumps(message.get("content"), ensure_ascii=False)
    return f"{message.get('role')}: {text if len(text) < 80 else f'…{text[-80:]}'}"


def _shown(node: Any, show: Any) -> Any:
    if isinstance(node, str):
        return show(node)
    if isinstance(node, dict):
        return {name: _shown(value, show) for name, value in node.items()}
    return [_shown(item, show) for item in node] if isinstance(node, list) else node
