"""What the inbox's page may send on its socket, and what each frame does in the database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from support_agent.ops.live.rounds import marks_of
from support_agent.ops.live.standing import Member, members_of
from support_agent.runtime.ratelimit import allow
from tickets.access import conversation_for_staff
from tickets.models import Conversation, Role
from tickets.publishing import group_of, publish
from tickets.services.read_marks import read_mark_put

Json = dict[str, Any]
ANSWERERS = {Role.AGENT.value, Role.LEAD.value, Role.ADMIN.value}


class BadFrame(Exception):
    """Not a frame of ours; the text says what is wrong."""


class Ended(Exception):
    """The session or the role behind the socket is gone; `member` is who is left, if anybody."""

    def __init__(self, member: Member | None) -> None:
        super().__init__()
        self.member = member


def parse(text: str) -> Json:
    """The frame in `text`. Raises BadFrame."""
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        raise BadFrame("A frame must be one JSON object.") from None
    if not isinstance(frame, dict) or not isinstance(frame.get("type"), str):
        raise BadFrame("A frame must be a JSON object with a type.")
    return frame


def conversation_of(frame: Mapping[str, Any]) -> UUID:
    """Raises BadFrame."""
    try:
        return UUID(str(frame.get("conversation_id")))
    except ValueError:
        raise BadFrame("conversation_id must be an id.") from None


def watch(session_key: str, conversation_id: UUID) -> tuple[int, int]:
    """Open a conversation: it is read up to here. Its mark. Raises NotFound, NotAllowed, RateLimited, Ended."""
    member = member_now(session_key)
    conversation = conversation_for_staff(conversation_id, member.user)
    read_mark_put(user=member.user, conversation_id=conversation.pk, seq=conversation.last_seq)
    return marks_of([conversation.pk])[conversation.pk]


def read(session_key: str, conversation_id: UUID, seq: object) -> None:
    """The page showed everything up to `seq`."""
    if not isinstance(seq, int) or isinstance(seq, bool):
        raise BadFrame("seq must be a number.")
    read_mark_put(user=member_now(session_key).user, conversation_id=conversation_id, seq=seq)


def tell_typing(session_key: str, conversation_id: UUID) -> None:
    """The customer sees that whoever has the conversation is typing; from others they see nothing."""
    member = member_now(session_key)
    theirs = Conversation.objects.filter(pk=conversation_id, status=Conversation.Status.HUMAN, assignee=member.user)
    if member.roles & ANSWERERS and theirs.exists():
        frame = {"type": "typing", "who": member.name}
        publish([(group_of(conversation_id), {"type": "conversation.frame", "frame": frame})])


def member_now(session_key: str) -> Member:
    """Who is at the other end, as of now. Raises Ended, RateLimited."""
    member = members_of([session_key]).get(session_key)
    if member is None or not member.roles:
        raise Ended(member)
    allow("frame", f"staff:{member.user.pk}")
    return member
