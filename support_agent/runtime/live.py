"""What a customer sees while an answer grows: activity and text deltas, coalesced, over the channel layer.

None of it is stored; a publish that fails never fails a turn.
"""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from support_agent.models import Turn
from support_agent.runtime.turns import begin_message
from tickets.db import in_db
from tickets.publishing import group_of, send_frames

EVERY_S = 0.05


class LiveText:
    """The engine's TextSink for one attempt. `shown` is everything that stands before the customer's eyes."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._group = group_of(turn.conversation_id)
        self._begun = False
        self._state = ""
        self._sent = 0
        self._flusher: asyncio.Task[None] | None = None
        self.shown = ""

    async def activity(self, state: Literal["thinking", "tool", "writing", "idle"], label: str = "") -> None:
        self._state = state
        await self._frame({"type": "activity", "turn_id": str(self._turn.pk), "state": state, "label": label})

    async def show(self, text: str) -> None:
        if not self._begun:
            await in_db(begin_message, self._turn)
            self._begun = True
        if self._state != "writing":
            await self.activity("writing")
        self.shown += text
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush_soon())

    async def retract(self) -> None:
        await self._stop_flusher()
        if self._turn.message_id is not None:  # also what a dead runner had shown of this turn
            await self._frame({"type": "retract", "message_id": str(self._turn.message_id)})
        self._turn.message_id = None
        self._begun, self._sent, self.shown = False, 0, ""

    async def close(self) -> None:
        """Send what is left; after this the final message speaks."""
        await self._stop_flusher()
        await self._flush()

    async def _flush_soon(self) -> None:
        while self._sent < len(self.shown):  # what came while the last frame went out has nobody else
            if self._sent:
                await asyncio.sleep(EVERY_S)
            await self._flush()

    async def _flush(self) -> None:
        text, offset = self.shown[self._sent :], self._sent
        if not text:
            return
        self._sent = len(self.shown)
        message_id = str(self._turn.message_id)
        await self._frame(
            {"type": "delta", "turn_id": str(self._turn.pk), "message_id": message_id, "offset": offset, "text": text}
        )

    async def _stop_flusher(self) -> None:
        if self._flusher is not None:
            self._flusher.cancel()
            await asyncio.gather(self._flusher, return_exceptions=True)
            self._flusher = None

    async def _frame(self, frame: dict[str, Any]) -> None:
        await send_frames([(self._group, {"type": "conversation.frame", "frame": frame})])
