"""A TCP proxy of our own, in front of PostgreSQL, Redis and the model: slow, dead, reset or cut while it runs.

With several targets it balances: connections go to one after another, past those that nobody listens at.

    with Proxy("/run/postgresql/.s.PGSQL.5432") as line:     # or ("127.0.0.1", 6379)
        line.latency_s = 0.3                                 # each piece arrives later
        line.bytes_per_s = 2000                              # and trickles
        line.dead = True                                     # connections stand, nothing passes (a partition)
        line.refusing = True                                 # nobody gets in
        line.cut_after = 900                                 # the next answer breaks after so many bytes, once
        line.reset()                                         # every connection breaks at once

Settings count at once, for what is open too; what is held back while it is dead passes when it lives again.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter
from contextlib import suppress
from typing import Self

from tests.faults.threads import LoopThread

Target = str | tuple[str, int]
RESET = struct.pack("ii", 1, 0)  # linger for no time: closing sends a reset
PIECE = 64 * 1024


class Proxy:
    """One listening port on loopback that leads to the targets, served by a thread of its own."""

    def __init__(self, *targets: Target) -> None:
        self.targets = targets
        self.led = Counter[Target]()  # connections that each target took
        self.latency_s = 0.0
        self.bytes_per_s = 0
        self.dead = self.refusing = False
        self.cut_after: int | None = None
        self.port = 0
        self._open: set[asyncio.StreamWriter] = set()

    def __enter__(self) -> Self:
        self._thread = LoopThread("proxy")
        self._server = self._thread.run(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.end()

    def reset(self) -> int:
        """Break every open connection on both sides; returns how many there were."""

        async def all_of_them() -> int:
            count = len(self._open) // 2
            for writer in list(self._open):
                _break(writer)
            return count

        return self._thread.run(all_of_them())

    def heal(self) -> None:
        """As if nothing had ever been wrong."""
        self.latency_s, self.bytes_per_s, self.dead, self.refusing, self.cut_after = 0.0, 0, False, False, None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            return _break(writer)
        try:
            there, onward = await self._connect()
        except OSError:  # the server is down, and so are we
            return _break(writer)
        both = {writer, onward}
        self._open |= both
        try:
            await asyncio.gather(self._pass(reader, onward, back=False), self._pass(there, writer, back=True))
        except (OSError, _Cut):
            for end in both:
                _break(end)
        finally:
            self._open -= both
            for end in both:
                end.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """To the target whose turn it is, else to the next; raises OSError when nobody is there."""
        first = self.led.total()
        for number in range(len(self.targets)):
            target = self.targets[(first + number) % len(self.targets)]
            with suppress(OSError):
                if isinstance(target, str):
                    found = await asyncio.open_unix_connection(target)
                else:
                    found = await asyncio.open_connection(*target)
                self.led[target] += 1
                return found
        raise ConnectionRefusedError

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, back: bool) -> None:
        while piece := await source.read(PIECE):
            if self.latency_s:
                await asyncio.sleep(self.latency_s)
            while self.dead:  # noqa: ASYNC110  # set from another thread
                await asyncio.sleep(0.02)
            if back and self.cut_after is not None:
                await self._cut(piece, sink)
            for part in self._parts(piece):
                if self.bytes_per_s:
                    await asyncio.sleep(len(part) / self.bytes_per_s)
                sink.write(part)
                await sink.drain()
        with suppress(OSError):
            sink.write_eof()

    async def _cut(self, piece: bytes, sink: asyncio.StreamWriter) -> None:
        """Let pass what may still pass, then break: only one connection, for the next ones are whole again."""
        left = self.cut_after or 0
        if len(piece) < left:
            self.cut_after = left - len(piece)
            return
        self.cut_after = None
        sink.write(piece[:left])
        await sink.drain()
        raise _Cut

    def _parts(self, piece: bytes) -> list[bytes]:
        if not self.bytes_per_s:
            return [piece]
        size = max(1, self.bytes_per_s // 20)
        return [piece[start : start + size] for start in range(0, len(piece), size)]


class _Cut(Exception):
    """This connection ends here."""


def _break(writer: asyncio.StreamWriter) -> None:
    """Close with a reset where the kind of socket knows one."""
    plain = writer.get_extra_info("socket")
    if plain is not None and plain.family == socket.AF_INET:
        with suppress(OSError):
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
