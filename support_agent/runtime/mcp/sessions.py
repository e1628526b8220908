"""The open sessions of this process, in one thread with a loop of its own, and the one way to ask a server.

Synchronous on the outside: called with no transaction open (`tickets.db.outside`, jobs, the admin). Everything has its
time; a server that fails is left alone for a while; nothing it asks of us (sampling, roots, elicitation) is granted.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import threading
import time
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as LateError
from typing import Any, TypeVar

import mcp_types as types
from mcp.client.session import ClientSession
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from support_agent.agent.toolkit import Json
from support_agent.runtime.mcp.http import http_streams
from support_agent.runtime.mcp.schemas import digest
from support_agent.runtime.mcp.spec import Spec, Trouble
from support_agent.runtime.mcp.stdio import stdio_streams

T = TypeVar("T")
CONNECT_S, LIST_S, IDLE_S, MOST_SESSIONS = 6.0, 6.0, 300.0, 8
MAX_TOOLS, MAX_PAGES, RELIST_S, MAX_PAUSE_S, MAX_LATE = 100, 10, 60.0, 60.0, 3
NOT_DONE = {types.INVALID_PARAMS, types.METHOD_NOT_FOUND}
NO_ANSWER = {types.CONNECTION_CLOSED, types.REQUEST_TIMEOUT}
CLIENT = types.Implementation(name="support-agent", version="1")
logging.getLogger("mcp").setLevel(logging.CRITICAL)  # it logs what servers send; failures are told by us
logging.getLogger("client").setLevel(logging.CRITICAL)


class Changed(Exception):
    """The tool is not what staff allowed: `definitions` are what the server lists now."""

    def __init__(self, definitions: list[Json]) -> None:
        super().__init__("The tool has changed since staff allowed it.")
        self.definitions = definitions


class Denied(Exception):
    """The server refused a request by the protocol: nothing was done."""


def call(
    spec: Spec, tool: str, arguments: Mapping[str, Any], *, pinned: str, key: str, timeout_s: float
) -> types.CallToolResult:
    """Call a tool whose definition still has the digest `pinned`. Raises Trouble, Changed or Denied."""
    return _hub().ask(_call(spec, tool, dict(arguments), pinned, key, timeout_s), CONNECT_S + LIST_S + timeout_s)


def list_tools(spec: Spec) -> list[Json]:
    """Every tool as the server defines it now. Raises Trouble."""
    return _hub().ask(_list(spec), CONNECT_S + LIST_S)


async def _call(
    spec: Spec, tool: str, arguments: Json, pinned: str, key: str, timeout_s: float
) -> types.CallToolResult:
    session = await _hub().session(spec)
    try:
        definitions = await session.definitions()
    except (Trouble, Denied) as error:
        raise Trouble(str(error)) from error  # whatever was sent, it was not the call
    if pinned not in {digest(one) for one in definitions if one["name"] == tool}:
        raise Changed(definitions)
    return await session.call(tool, arguments, key, timeout_s)


async def _list(spec: Spec) -> list[Json]:
    session = await _hub().session(spec)
    session.stale = True
    return await session.definitions()


class _Session:
    """One connection; a task of its own opens and closes it."""

    def __init__(self, spec: Spec) -> None:
        self.spec, self.why = spec, "The connection has ended."
        self.stale, self.used, self.late, self.asking = True, time.monotonic(), 0, 0
        self._listed: list[Json] = []
        self._listed_at = 0.0
        self._closing = asyncio.Event()
        self._open: asyncio.Future[ClientSession] = asyncio.get_running_loop().create_future()
        self._one_lists = asyncio.Lock()
        self.task = asyncio.create_task(self._run())

    @property
    def is_over(self) -> bool:
        return self._closing.is_set() or self.task.done()

    def close(self, why: str = "") -> None:
        self.why = why or self.why
        self._closing.set()

    async def opened(self) -> ClientSession:
        """Raises Trouble."""
        try:
            async with asyncio.timeout(CONNECT_S):
                return await asyncio.shield(self._open)
        except TimeoutError:
            self.close()
            self.task.cancel()
            raise Trouble("It did not answer in time when it was connected.") from None

    async def _run(self) -> None:
        is_stdio = self.spec.transport == "stdio"
        try:
            async with (
                stdio_streams(self.spec, self.close) if is_stdio else http_streams(self.spec) as (read, write),
                ClientSession(read, write, client_info=CLIENT, message_handler=self._heard) as session,
            ):
                await _handshake(session)
                self.used = time.monotonic()
                self._open.set_result(session)
                while not self._closing.is_set() and (left := self._time_left()) > 0:
                    with_time = asyncio.wait_for(self._closing.wait(), left)
                    await asyncio.gather(with_time, return_exceptions=True)
        except BaseException as error:  # groups of the SDK's, too; told to whoever waits
            if not self._open.done():
                why = self.why if self._closing.is_set() else _plainly(error)
                self._open.set_exception(Trouble(f"It could not be connected: {why}"))
                self._open.exception()  # nobody may be waiting any more
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
        finally:
            self._closing.set()

    def _time_left(self) -> float:
        return IDLE_S if self.asking else self.used + IDLE_S - time.monotonic()

    async def _heard(self, message: Any) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            self.stale = True

    async def definitions(self) -> list[Json]:
        """What the server lists, asked again when it says so, or every minute. Raises Trouble."""
        async with self._one_lists:
            if self.stale or time.monotonic() - self._listed_at > RELIST_S:
                self._listed = await self._ask(self._pages(), LIST_S)
                self.stale, self._listed_at = False, time.monotonic()
            return self._listed

    async def _pages(self) -> list[Json]:
        session, found, cursor = await self.opened(), [], None
        for _ in range(MAX_PAGES):
            page = await session.list_tools(params=types.PaginatedRequestParams(cursor=cursor))
            found += [_definition(tool) for tool in page.tools]
            if len(found) > MAX_TOOLS:
                raise Trouble(f"It lists more than {MAX_TOOLS} tools.")
            cursor = page.next_cursor
            if not cursor:
                return found
        raise Trouble(f"Its list has more than {MAX_PAGES} pages.")

    async def call(self, tool: str, arguments: Json, key: str, timeout_s: float) -> types.CallToolResult:
        """Straight through: without the SDK's own check of results, which asks and compiles the server's schemas."""
        session = await self.opened()
        meta: Any = {"support-agent/idempotency-key": key}
        request = types.CallToolRequest(params=types.CallToolRequestParams(name=tool, arguments=arguments, _meta=meta))
        return await self._ask(session.send_request(request, types.CallToolResult), timeout_s)

    async def _ask(self, asking: Coroutine[Any, Any, T], timeout_s: float) -> T:
        """Raises Trouble with `sent`, or Denied."""
        self.asking += 1
        try:
            async with asyncio.timeout(timeout_s):
                answer = await asking
        except TimeoutError:
            self.late += 1
            if self.late >= MAX_LATE:
                self.close()
            raise Trouble("It did not answer in time.", sent=True) from None
        except MCPError as error:
            if error.code in NOT_DONE:
                raise Denied(f"It refused the request: {' '.join(error.message.split())[:150]}") from error
            if error.code in NO_ANSWER:
                self.close()
                raise Trouble(self.why, sent=True) from error
            raise Trouble("It answered with an error of its own.", sent=True) from error
        except ValidationError as error:
            raise Trouble("Its answer is not what the protocol says.", sent=True) from error
        except Trouble:
            raise
        except Exception as error:
            self.close()
            raise Trouble(f"The connection failed: {_plainly(error)}", sent=True) from error
        finally:
            self.asking, self.used = self.asking - 1, time.monotonic()
        self.late = 0
        return answer


class _Hub:
    """The thread, and what it holds. A forked process makes its own."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._sessions: dict[Spec, _Session] = {}
        self._pauses: dict[Spec, tuple[int, float]] = {}  # (failures in a row, not before)
        threading.Thread(target=self._loop.run_forever, name="mcp", daemon=True).start()

    def ask(self, asking: Coroutine[Any, Any, T], timeout_s: float) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(asking, self._loop)
        try:
            return future.result(timeout_s + 1)
        except LateError:
            future.cancel()
            raise Trouble("It did not answer in time.", sent=True) from None

    async def session(self, spec: Spec) -> _Session:
        """An open one. Raises Trouble: at once while a server that failed is left alone."""
        known = self._sessions.get(spec)
        if known is None or known.is_over:
            failures, not_before = self._pauses.get(spec, (0, 0.0))
            if time.monotonic() < not_before:
                raise Trouble("It failed just now and is left alone for a moment.")
            self._make_room(spec)
            known = self._sessions[spec] = _Session(spec)
            self._pauses[spec] = (failures + 1, time.monotonic() + min(2.0**failures, MAX_PAUSE_S))
        try:
            await known.opened()
        except Trouble:
            known.close()
            raise
        self._pauses.pop(spec, None)
        return known

    def _make_room(self, spec: Spec) -> None:
        """One session a server, and no more than eight: what was used longest ago is closed."""
        for other, session in list(self._sessions.items()):
            if session.is_over or other.name == spec.name:
                session.close()
                del self._sessions[other]
        while len(self._sessions) >= MOST_SESSIONS:
            oldest = min(self._sessions, key=lambda one: self._sessions[one].used)
            self._sessions.pop(oldest).close()

    def close(self) -> None:
        """End every session: programs end with us."""
        if self.pid == os.getpid():
            self.ask(self._close_all(), 6.0)

    async def _close_all(self) -> None:
        tasks = [session.task for session in self._sessions.values()]
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()
        self._pauses.clear()
        if tasks:
            await asyncio.wait(tasks, timeout=5)


_made: _Hub | None = None
_making = threading.Lock()


def _hub() -> _Hub:
    global _made
    with _making:
        if _made is None or _made.pid != os.getpid():
            _made = _Hub()
        return _made


@atexit.register
def close_all() -> None:
    """At the end of the process, and between tests."""
    if _made is not None:
        try:
            _made.close()
        except Trouble:
            logging.getLogger(__name__).warning("mcp_sessions_left")


async def _handshake(session: ClientSession) -> None:
    """Most servers know `initialize`; one that knows only the newer protocol says so, and is asked that way."""
    try:
        await session.initialize()
    except MCPError as error:
        if error.code in NO_ANSWER:
            raise
        await session.discover()


def _definition(tool: types.Tool) -> Json:
    """All that tells the model or staff what it does; texts as they came."""
    whole = tool.model_dump(by_alias=True, mode="json", exclude_none=True)
    return {
        name: whole[name] for name in ("name", "title", "description", "inputSchema", "annotations") if name in whole
    }


def _plainly(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return f"{type(error).__name__}: {' '.join(str(error).split())[:150]}".rstrip(": ")
