"""What every socket of ours does: it joins its groups where it can, fails aloud, bounds what one client may cost, and
leaves nothing behind.

A client that sends too fast is told so without any work done for it, and cut off when it goes on. One that does not
read gets no passing frames, waits for the lasting ones, and is closed when it still does not read: it connects again
and catches up. How much it has left unread only the server knows; ours says so (support_agent.launch.server).
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer

from support_agent.runtime.ratelimit import FLOOD, FRAMES_OF_SOCKET, FRAMES_S, Meter, refused
from tickets.errors import RateLimited

Json = dict[str, Any]
log = logging.getLogger(__name__)

UNREAD = "support_agent.unread"  # ASGI extension: {"bytes": function}
MUCH_UNREAD = 128 * 1024  # from here on passing frames are dropped and lasting ones wait
MOST_UNREAD = 1024 * 1024  # whatever it was that grew so far
READ_WITHIN_S = 15.0
TOO_MANY, TOO_SLOW, TOO_BIG, TOO_BIG_OURS = 4429, 4408, 1009, 4413


class GroupSocket(AsyncWebsocketConsumer):
    """A consumer that knows its groups. A lost push is never the only news: each kind has a round that looks again."""

    _groups: list[str]
    is_closing = False

    async def dispatch(self, message: Json) -> None:
        """A failure ends the socket with 1011; the client connects again and repeats what was not acknowledged."""
        if message["type"] == "websocket.receive" and not await self._may_speak():
            return
        try:
            # Channels' own has a thread close old connections before each message: in_db gives each back at once.
            await getattr(self, get_handler_name(message))(message)
        except StopConsumer:
            raise
        except Exception:
            await self.disconnect(1011)
            raise

    async def too_fast(self, refusal: RateLimited) -> None:
        """Tell the client, in the form of this kind of socket."""
        raise NotImplementedError

    async def send(  # type: ignore[override]  # as channels' own, which says something else than its base class
        self, text_data: str | None = None, bytes_data: bytes | None = None, close: Any = False
    ) -> None:
        """Nothing goes out after the close, and nothing piles up without end."""
        if self.is_closing:
            return
        if self.unread() > MOST_UNREAD:
            return await self._cut_off(TOO_SLOW, "unread")
        await super().send(text_data=text_data, bytes_data=bytes_data, close=close)

    async def close(self, code: Any = None, reason: str | None = None) -> None:
        """What still comes in is not read; a code the server may not send becomes one of ours."""
        if self.is_closing:
            return
        self.is_closing = True
        try:
            await super().close(code, reason)
        except Exception:
            if code != TOO_BIG:
                raise
            await super().close(TOO_BIG_OURS)  # Daphne sends 1009 only by itself

    def unread(self) -> int:
        """Bytes that went out and that the client's side has not taken; 0 where the server cannot say."""
        scope: Json = {**self.scope}
        extensions = scope.get("extensions") or {}
        return int(extensions[UNREAD]["bytes"]()) if UNREAD in extensions else 0

    def is_behind(self) -> bool:
        return self.unread() > MUCH_UNREAD

    async def read_up(self) -> bool:
        """Wait for a client that is behind; False when it did not read in time, and the socket was closed for it."""
        pause, clock = 0.01, asyncio.get_running_loop().time
        until = clock() + READ_WITHIN_S
        while self.is_behind() and not self.is_closing:
            if clock() > until:
                await self._cut_off(TOO_SLOW, "unread")
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.5)
        return not self.is_closing

    async def join(self, group: str) -> None:
        if group in self._groups:
            return
        try:
            await self.channel_layer.group_add(group, self.channel_name)
            self._groups.append(group)
        except Exception:
            log.warning("group_add_failed", exc_info=True)

    async def leave_groups(self) -> None:
        while self._groups:
            with suppress(Exception):  # Redis may be the very thing that failed
                await self.channel_layer.group_discard(self._groups.pop(), self.channel_name)

    async def _cut_off(self, code: int, limit: str) -> None:
        refused.labels(limit).inc()
        log.info("socket_cut_off", extra={"code": code})
        await self.close(code)

    async def _may_speak(self) -> bool:
        if self.is_closing:
            return False
        if not hasattr(self, "_meter"):
            self._meter = Meter(FRAMES_OF_SOCKET, FRAMES_S)
        over = self._meter.over()
        if over > FLOOD:
            await self._cut_off(TOO_MANY, "frames")
        elif over > 1 and not self.is_behind():
            await self.too_fast(RateLimited(self._meter.wait()))
        return over <= 1
