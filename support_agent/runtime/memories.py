"""A conversation's memory as rows: what was written down once, and what was said and looked up since."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from support_agent.agent.pictures import named
from support_agent.agent.remembered import LookedUp, Memory, Said
from support_agent.agent.toolkit import Status
from support_agent.models import ConversationMemory, ToolCall
from support_agent.runtime.pictures import MAX_SEEN, pictures_of
from tickets.models import Message
from tickets.sql import prepared

Json = dict[str, Any]
MAX_MESSAGES = 400
TOLD = [Status.SUCCESS, Status.NOT_FOUND, Status.PENDING_CONFIRMATION, Status.AWAITING_STAFF]
FORGOTTEN = {"search_knowledge_base"}  # articles are looked up again; they change
_STORED = """
SELECT summary, upto_seq, facts FROM support_agent_conversationmemory WHERE conversation_id = %(conversation)s
"""
_CITATION = re.compile(r"\s?\[\d{1,2}\]")


def memory_of(conversation_id: UUID, messages: Sequence[Message], *, shown: int = MAX_SEEN, lost: int = 0) -> Memory:
    """The memory before a turn; `messages` are those spoken before it, oldest first. Two queries.

    What was written down of messages up to `lost`, a seq, is left aside: one of them may not be read any more.

    The newest `shown` pictures are in it.
    """
    summary, upto, facts = next(iter(prepared(_STORED, {"conversation": conversation_id})), ("", 0, "[]"))
    if 0 < lost <= upto:
        summary, upto, facts = "", 0, "[]"
    return remembered(
        messages,
        lambda recent: _calls_since(conversation_id, recent[0]),
        summary=summary,
        upto=upto,
        facts=json.loads(facts),
        shown=shown,
    )


def remembered(
    messages: Sequence[Message],
    calls: Callable[[Sequence[Message]], Iterable[ToolCall]],
    *,
    summary: str,
    upto: int,
    facts: Sequence[str],
    shown: int = MAX_SEEN,
) -> Memory:
    """The memory made of what was written down, the messages after it, and the calls since the first of these."""
    recent = [message for message in messages if message.seq > upto]
    return Memory(
        summary=summary,
        upto=upto,
        facts=tuple(facts),
        said=_shown([_said(message) for message in recent if as_written(message).strip()], shown),
        looked_up=_placed(calls(recent), recent) if recent else [],
    )


def remember(conversation_id: UUID, output: Json) -> None:
    """Keep what a compress step wrote down; it is not written down twice."""
    ConversationMemory.objects.update_or_create(
        conversation_id=conversation_id,
        defaults={"summary": output["summary"], "upto_seq": output["upto"], "facts": output["facts"]},
    )


def as_written(message: Message) -> str:
    """A customer's message as the model reads it: images are named, and the newest shown beside it."""
    images = [named(str(attachment["name"])) for attachment in message.attachments]
    return "\n".join(filter(None, [message.text, *images]))


def _shown(said: list[Said], most: int) -> list[Said]:
    """With the newest `most` pictures; those before are only named."""
    kept: list[Said] = []
    for one in reversed(said):
        pictures = one.pictures[max(0, len(one.pictures) - most) :] if most > 0 else ()
        most -= len(pictures)
        kept.append(replace(one, pictures=pictures) if one.pictures else one)
    return kept[::-1]


def _said(message: Message) -> Said:
    if message.role == Message.Role.CUSTOMER:
        return Said(message.seq, "user", as_written(message), tuple(pictures_of(message)))
    if message.role == Message.Role.STAFF:
        return Said(message.seq, "assistant", f"({message.author}, our team, wrote:) {message.text}")
    return Said(message.seq, "assistant", _CITATION.sub("", message.text))  # old numbers mean nothing any more


def _calls_since(conversation_id: UUID, message: Message) -> Iterable[ToolCall]:
    """Earlier tool calls that told something."""
    rows = ToolCall.objects.filter(conversation=conversation_id, status__in=TOLD, created_at__gt=message.created_at)
    return rows.exclude(tool__in=FORGOTTEN).order_by("created_at")[:100]


def _placed(calls: Iterable[ToolCall], messages: Sequence[Message]) -> list[LookedUp]:
    """Each call after the message it was made for; those before the first are left out."""
    times = [message.created_at for message in messages]
    return [
        LookedUp(messages[bisect_right(times, row.created_at) - 1].seq, row.tool, row.arguments, row.result)
        for row in calls
        if row.created_at > times[0]
    ]
