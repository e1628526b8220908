"""The transport that listens: everything passes untouched, and what was said is kept with nobody in it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import httpx2

from support_agent.llm.recorded.cassette import Exchange, Thread, save
from support_agent.llm.recorded.events import folded, heard, hide_events
from support_agent.llm.recorded.normal import hidden, normal_request, texts_of
from support_agent.llm.recorded.tape import Begun, current, on_tape
from support_agent.llm.recorded.values import Hiding, Values

Json = dict[str, Any]
HEADERS = ("content-type", "retry-after", "x-should-retry", "request-id")
TIMEOUT = "ReadTimeout"


@contextmanager
def recording(
    path: Path, inner: httpx2.AsyncBaseTransport, *, hiding: Hiding, about: Json | None = None
) -> Iterator[Recording]:
    """Listen to `inner`; conversations that came to their end are in the file afterwards, whatever else happened. When
    no call was made, a recording that is there stays.

    `about` is kept with them; its `renew` is the command that records them anew.
    """
    tape = Recording(inner, hiding)
    try:
        with on_tape(tape):
            yield tape
    finally:
        threads = tape.threads()
        if any(thread.exchanges for thread in threads) or not path.exists():
            save(path, about or {}, threads)


class Recording(httpx2.AsyncBaseTransport):
    def __init__(self, inner: httpx2.AsyncBaseTransport, hiding: Hiding) -> None:
        self._inner, self._hiding = inner, hiding
        self._kept: dict[Begun | str, tuple[Thread, Values]] = {}
        self._runs: Counter[str] = Counter()

    def begin(self, begun: Begun) -> None:
        self._thread(begun)

    def threads(self) -> list[Thread]:
        """Those that have ended; one that stopped in the middle could never be replayed."""
        return [thread for key, (thread, _) in self._kept.items() if isinstance(key, str) or key.ended]

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        content = await request.aread()
        thread, values = self._thread(current())
        exchange = Exchange(normal_request(request, content, values))
        thread.exchanges.append(exchange)
        request.headers["accept-encoding"] = "identity"  # readable as it comes
        try:
            response = await self._inner.handle_async_request(request)
        except (Exception, asyncio.CancelledError) as error:
            exchange.response = {"fails": failure_of(error)}
            raise
        assert isinstance(response.stream, httpx2.AsyncByteStream)

        def done(raw: bytes, end: str) -> None:
            if end == "whole" and "content-encoding" in response.headers:  # a gateway that does not ask
                raw = httpx2.Response(200, headers=response.headers, content=raw).content
            exchange.response = _response(response, raw, end, values)

        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_Listening(response.stream, done),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _thread(self, key: Begun | str) -> tuple[Thread, Values]:
        if key not in self._kept:
            name, at = (key.name, key.at) if isinstance(key, Begun) else ("", datetime.now(UTC))
            self._runs[name] += 1
            self._kept[key] = Thread(name, self._runs[name], at), Values(self._hiding)
        thread, values = self._kept[key]
        if isinstance(key, Begun) and not thread.exchanges:
            values.know(key.known)
        return thread, values


class _Listening(httpx2.AsyncByteStream):
    """The answer as it streams by; `done` gets all of it, and how it ended."""

    def __init__(self, inner: httpx2.AsyncByteStream, done: Callable[[bytes, str], None]) -> None:
        self._inner, self._done = inner, done
        self._raw, self._end = bytearray(), "left"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._inner:
                self._raw += chunk
                yield chunk
            self._end = "whole"
        except (Exception, asyncio.CancelledError) as error:
            self._end = failure_of(error)
            raise

    async def aclose(self) -> None:
        try:
            await self._inner.aclose()
        finally:
            self._done(bytes(self._raw), self._end)


def failure_of(error: BaseException) -> str:
    """The transport's error that plays it again: a cancelled wait is our own clock's, a line that broke before the
    answer is called a ConnectError by the transport and was none."""
    if isinstance(error, asyncio.CancelledError):
        return TIMEOUT
    cause = error.__cause__
    if isinstance(cause, aiohttp.ClientOSError) and not isinstance(cause, aiohttp.ClientConnectorError):
        return "ReadError"
    return type(error).__name__ if isinstance(error, httpx2.TransportError) else "ConnectError"


def _response(response: httpx2.Response, raw: bytes, end: str, values: Values) -> Json:
    kept: Json = {
        "status": response.status_code,
        "headers": {name: response.headers[name] for name in HEADERS if name in response.headers},
    }
    if "event-stream" in response.headers.get("content-type", ""):
        kept["events"] = folded(hide_events(heard(raw, whole=end == "whole"), values))
    elif end == "whole":
        kept |= _whole(raw, values)
    return {**kept, "end": end}


def _whole(raw: bytes, values: Values) -> Json:
    try:
        body = json.loads(raw)
    except ValueError:
        text = raw.decode("utf-8", "replace")
        values.learn([text])
        return {"text": values.hide(text, blots=False)}
    values.learn(texts_of(body))
    return {"body": hidden(body, values, blots=False)}
