"""A server as a program: started without a shell, without our environment, ended with its whole process group.

The SDK's own transport reads lines of any length into memory and keeps our environment, so this one stands in its
place; the streams it yields are the SDK's.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import mcp_types as types
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage

from support_agent.runtime.mcp.spec import MAX_BYTES, Spec

Streams = tuple[MemoryObjectReceiveStream[SessionMessage | Exception], MemoryObjectSendStream[SessionMessage]]
KEEPER = Path(__file__).with_name("keeper.py")
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
CHUNK, END_S, POLL_S, MAX_ODD_LINES = 65_536, 4.0, 0.02, 50


@asynccontextmanager
async def stdio_streams(spec: Spec, ended: Callable[[str], None]) -> AsyncIterator[Streams]:
    """The SDK's pair of streams; `ended` is told why when the program ends or sends too much. Raises OSError."""
    spec.cwd.mkdir(parents=True, exist_ok=True)
    watched, lifeline = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", str(KEEPER), str(watched), *spec.argv,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            cwd=spec.cwd, env={**ENVIRONMENT, "HOME": str(spec.cwd), **dict(spec.secrets)},
            pass_fds=(watched,), start_new_session=True,
        )  # fmt: skip
    except BaseException:
        os.close(lifeline)
        raise
    finally:
        os.close(watched)
    incoming, read = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    write, outgoing = anyio.create_memory_object_stream[SessionMessage](0)
    meter = _Meter()
    tasks = [
        asyncio.create_task(_read(process, incoming, meter, ended)),
        asyncio.create_task(_write(process, outgoing, meter)),
    ]
    try:
        yield read, write
    finally:
        for task in tasks:
            task.cancel()
        os.close(lifeline)
        await asyncio.shield(_end(process))
        for stream in (incoming, read, write, outgoing):
            stream.close()


class _Meter:
    """What came since our last request."""

    received = 0


async def _read(
    process: asyncio.subprocess.Process,
    incoming: MemoryObjectSendStream[SessionMessage | Exception],
    meter: _Meter,
    ended: Callable[[str], None],
) -> None:
    """Lines to messages; what is no message is passed over, up to a point."""
    assert process.stdout is not None
    buffer, odd, why = bytearray(), 0, "The program has ended."
    with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
        while chunk := await process.stdout.read(CHUNK):
            meter.received += len(chunk)
            if meter.received > MAX_BYTES:
                why = f"It sent more than {MAX_BYTES:,} bytes at once."
                break
            *lines, rest = chunk.split(b"\n")
            for line in lines:
                message = _message(bytes(buffer) + line)
                buffer.clear()
                if message is not None:
                    await incoming.send(message)
                else:
                    odd += 1
            buffer += rest
            if odd > MAX_ODD_LINES:
                why = "It writes lines that are no messages of the protocol."
                break
    ended(why)
    incoming.close()


def _message(line: bytes) -> SessionMessage | None:
    try:
        return SessionMessage(types.jsonrpc_message_adapter.validate_json(line, by_name=False))
    except (ValueError, RecursionError):
        return None


async def _write(
    process: asyncio.subprocess.Process, outgoing: MemoryObjectReceiveStream[SessionMessage], meter: _Meter
) -> None:
    assert process.stdin is not None
    with suppress(OSError):
        async for item in outgoing:
            message: Any = item.message
            if isinstance(message, types.JSONRPCRequest):
                meter.received = 0
            text = message.model_dump_json(by_alias=True, exclude_unset=True)
            process.stdin.write(text.encode() + b"\n")
            await process.stdin.drain()


async def _end(process: asyncio.subprocess.Process) -> None:
    """The keeper ends the group once stdin and the lifeline are closed; should it not, we do."""
    if process.stdin is not None:
        process.stdin.close()
    if not await _is_over(process, END_S):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await _is_over(process, END_S)
    transport = getattr(
        process, "_transport", None
    )  # nothing public closes the pipes of one that did not read to its end
    if transport is not None:
        transport.close()


async def _is_over(process: asyncio.subprocess.Process, seconds: float) -> bool:
    """Not by `wait`, which waits for its pipes as well."""
    for _ in range(round(seconds / POLL_S)):
        if process.returncode is not None:
            return True
        await asyncio.sleep(POLL_S)
    return False
