"""The one place that publishes: frames to channel-layer groups, after the commit that made them true.

A publish that fails is only logged: PostgreSQL holds the truth and every socket catches up by `seq`. Frames sent from a
thread of tickets.db are collected in its outbox and sent from the caller's own event loop, for the thread has none.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction

log = logging.getLogger(__name__)
REDIS_S = 2.0  # a push may be late or lost; whoever sends it has something else to do
Frame = tuple[str, dict[str, Any]]  # (channel-layer group, message)
outbox: ContextVar[list[Frame] | None] = ContextVar("outbox", default=None)


def group_of(conversation_id: UUID) -> str:
    """The channel-layer group every socket of a conversation joins."""
    return f"conversation.{conversation_id.hex}"


INBOX_GROUP = "inbox"


def publish(frames: Iterable[Frame]) -> None:
    """Send frames to their groups: through the running call's outbox, or at once from synchronous code."""
    collected = outbox.get()
    if collected is not None:
        collected.extend(frames)
    else:
        async_to_sync(send_frames)(list(frames))


def publish_inbox(conversation_id: UUID, why: str) -> None:
    """Tell the staff's inboxes that a row of their list changed, after the commit."""
    frame = {"type": "inbox.changed", "id": str(conversation_id), "why": why}
    transaction.on_commit(lambda: publish([(INBOX_GROUP, frame)]))


async def send_frames(frames: Iterable[Frame]) -> None:
    """Send frames from the running loop; failures are logged, never raised."""
    layer = get_channel_layer()
    assert layer is not None, "CHANNEL_LAYERS is configured"
    for group, message in frames:
        try:
            async with asyncio.timeout(REDIS_S):
                await layer.group_send(group, message)
        except Exception:
            log.warning("publish_failed", exc_info=True, extra={"group": group})
