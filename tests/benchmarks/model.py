"""A loopback fake of Anthropic's Messages API in a process of its own, for benchmarks: set times, little CPU.

    python -m tests.benchmarks.model --port N [--small-ttft 0.6] [--medium-ttft 1.2] [--large-ttft 2.0] [--rate 40]
        [--deltas 100]

A stream's deltas leave one by one at `arrival + ttft + i / rate`, never later by what went before. `GET /calls?after=n`
tells what was asked and when each part left, in seconds of time.monotonic(), the clock of every process here.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import count

from tests.benchmarks.words import (
    BYTES_PER_TOKEN,
    Json,
    Reply,
    answer_in,
    choose,
    closing,
    newest_text,
    opening,
    tag_in,
    whole,
)

_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_AFTER = re.compile(rb"[?&]after=(\d+)")


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds to the first delta by the family of a model's id, deltas (or tokens) a second, deltas of an answer."""

    small_s: float = 0.6
    medium_s: float = 1.2
    large_s: float = 2.0
    rate: float = 40.0
    deltas: int = 100

    def ttft_s(self, model: str) -> float:
        if "haiku" in model:
            return self.small_s
        return self.large_s if "opus" in model else self.medium_s


@dataclass(slots=True)
class Call:
    """One request, times by time.monotonic(): `arrived` with its last byte, `first_sentence` None where none is said.

    `ttft_s` is what it took to the first delta (or to the whole message), `end` None of a call that was cut off.
    """

    key: str
    kind: str
    model: str
    arrived: float
    ttft_s: float | None = None
    first_sentence: float | None = None
    end: float | None = None


class Model:
    """What all connections share: the pace, the prefixes that were seen, and the calls that are over."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.answer = answer_in(pace.deltas)
        self.calls: list[Call] = []
        self.open = 0
        self._numbers = count(1)
        self._prefixes: dict[tuple[object, ...], int] = {}

    def next_id(self) -> str:
        return f"msg_{next(self._numbers):08x}"

    def usage(self, body: Json, size: int) -> Json:
        """The prompt's tokens by its bytes; system prompt and tools are a prefix that is read once it was written."""
        system, tools = body.get("system") or "", body.get("tools") or ()
        text = system if isinstance(system, str) else "\n".join(block["text"] for block in system)
        seen = (body["model"], text, *(tool["name"] for tool in tools))
        known = self._prefixes.get(seen)
        prefix = known
        if prefix is None:
            prefix = self._prefixes[seen] = int((len(text) + len(json.dumps(tools))) / BYTES_PER_TOKEN)
        return {
            "input_tokens": max(1, int(size / BYTES_PER_TOKEN) - prefix),
            "cache_read_input_tokens": 0 if known is None else prefix,
            "cache_creation_input_tokens": prefix if known is None else 0,
        }


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, one request at a time; what is not a request with a content-length ends it."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._loop = asyncio.get_running_loop()
        self._received = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self._call: Call | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._call is not None:
            self._over()

    def data_received(self, data: bytes) -> None:
        self._received += data
        while self._call is None and (end := self._received.find(_HEAD_END)) >= 0:
            head = bytes(self._received[:end])
            length = _LENGTH.search(head)
            stop = end + len(_HEAD_END) + (int(length[1]) if length else 0)
            if len(self._received) < stop:
                return
            body = bytes(self._received[end + len(_HEAD_END) : stop])
            del self._received[:stop]
            self._handle(head, body)

    def _handle(self, head: bytes, body: bytes) -> None:
        method, target = head.split(b" ", 2)[:2]
        match method, target.partition(b"?")[0]:
            case b"POST", b"/v1/messages":
                self._asked(body)
            case b"GET", b"/calls":
                after = int(found[1]) if (found := _AFTER.search(target)) else 0
                calls = self._model.calls
                self._json({"calls": [asdict(call) for call in calls[after:]], "next": len(calls)})
            case b"DELETE", b"/calls":
                self._model.calls.clear()
                self._json({})
            case b"GET", b"/healthz":
                self._json({"status": "ok", "open": self._model.open})
            case _:
                self._json(
                    {"type": "error", "error": {"type": "not_found_error", "message": "not found"}}, "404 Not Found"
                )

    def _asked(self, raw: bytes) -> None:
        arrived = time.monotonic()
        body = json.loads(raw)
        text = newest_text(body)
        model, message_id = body["model"], self._model.next_id()
        reply = choose(body, text, self._model.answer, message_id)
        usage = self._model.usage(body, len(raw))
        self._call = Call(tag_in(text), reply.kind, model, arrived)
        self._model.open += 1
        first = arrived + self._model.pace.ttft_s(model)
        if body.get("stream") and reply.kind != "plan":
            self._at(first, self._open, reply, opening(reply, message_id, model, usage), closing(reply, usage), first)
        else:
            done = first + reply.output_tokens / self._model.pace.rate
            self._at(done, self._whole, whole(reply, message_id, model, usage))

    def _open(self, reply: Reply, head: bytes, tail: bytes, first: float) -> None:
        self._transport.write(head)
        self._delta(reply, tail, first, 0)

    def _delta(self, reply: Reply, tail: bytes, first: float, number: int) -> None:
        """Send a delta and set the clock for the next one, from the stream's own beginning."""
        assert self._call is not None
        self._transport.write(reply.deltas[number])
        if number == 0:
            self._call.ttft_s = time.monotonic() - self._call.arrived
        if number == reply.sentence_at:
            self._call.first_sentence = time.monotonic()
        if number + 1 < len(reply.deltas):
            self._at(first + (number + 1) / self._model.pace.rate, self._delta, reply, tail, first, number + 1)
            return
        self._transport.write(tail)
        self._end()

    def _whole(self, message: Json) -> None:
        assert self._call is not None
        self._json(message)
        self._call.ttft_s = time.monotonic() - self._call.arrived
        self._end()

    def _end(self) -> None:
        assert self._call is not None
        self._call.end = time.monotonic()
        self._over()
        self.data_received(b"")  # the next request may be here already

    def _over(self) -> None:
        assert self._call is not None
        self._model.calls.append(self._call)
        self._model.open -= 1
        self._call, self._timer = None, None

    def _at(self, when: float, act: Callable[..., None], *given: object) -> None:
        self._timer = self._loop.call_at(when, act, *given)  # the loop's clock is time.monotonic()

    def _json(self, data: Json, status: str = "200 OK") -> None:
        body = json.dumps(data).encode()
        head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        self._transport.write(head.encode() + body)


async def serve(pace: Pace, port: int) -> None:
    """Listen on loopback until the process ends."""
    model = Model(pace)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(model), "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


def main() -> None:
    """Read the pace from the command line, and serve."""
    usual = Pace()
    options = argparse.ArgumentParser(description="A loopback fake of the Messages API for benchmarks.")
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--small-ttft", type=float, default=usual.small_s)
    options.add_argument("--medium-ttft", type=float, default=usual.medium_s)
    options.add_argument("--large-ttft", type=float, default=usual.large_s)
    options.add_argument("--rate", type=float, default=usual.rate)
    options.add_argument("--deltas", type=int, default=usual.deltas)
    given = options.parse_args()
    pace = Pace(given.small_ttft, given.medium_ttft, given.large_ttft, given.rate, given.deltas)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(pace, given.port))


if __name__ == "__main__":
    main()
