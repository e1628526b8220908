"""Reads of conversations and their events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Left

from tickets.events import event_payload
from tickets.models import Conversation, Event, Message
from tickets.sql import fetched

Json = dict[str, Any]
PAGE = 200
_SPOKEN = """
SELECT id, created_at, conversation_id, role, author, staff_id, text, client_message_id, turn_id, sources, attachments,
  cards, seq
FROM tickets_message WHERE conversation_id = %(conversation)s AND role IN ('customer', 'assistant', 'staff')
ORDER BY seq DESC LIMIT %(limit)s
"""


def events_after(conversation_id: UUID, after: int, *, before: int | None = None, limit: int = PAGE) -> list[Json]:
    """Persistent events with after < seq (< before), in order, at most `limit`; one query."""
    events = Event.objects.filter(conversation=conversation_id, seq__gt=after).select_related("message")
    if before is not None:
        events = events.filter(seq__lt=before)
    return [event_payload(event) for event in events.order_by("seq")[:limit]]


def events_latest(conversation_id: UUID, *, before: int | None = None, limit: int = PAGE) -> list[Json]:
    """The last `limit` events (before a seq), in order; one query."""
    events = Event.objects.filter(conversation=conversation_id).select_related("message")
    if before is not None:
        events = events.filter(seq__lt=before)
    return [event_payload(event) for event in reversed(events.order_by("-seq")[:limit])]


def last_seqs(ids: Iterable[UUID]) -> dict[UUID, int]:
    """`last_seq` of each conversation, in one query."""
    return dict(Conversation.objects.filter(pk__in=list(ids)).values_list("pk", "last_seq"))


def customer_wrote(conversation_id: UUID, words: str) -> bool:
    """Whether the customer's own messages hold these words, in any case."""
    own = Message.objects.filter(conversation=conversation_id, role=Message.Role.CUSTOMER)
    return own.filter(text__icontains=words).exists()


def first_words(conversations: QuerySet[Conversation], *, limit: int) -> list[Conversation]:
    """Those in which anything was said, each with `first_words`, how its customer began; one query."""
    own = Message.objects.filter(conversation=OuterRef("pk"), role=Message.Role.CUSTOMER).exclude(text="")
    words = Subquery(own.order_by("seq").annotate(begin=Left("text", 200)).values("begin")[:1])
    return list(conversations.filter(last_seq__gt=0).annotate(first_words=words)[:limit])


def spoken(conversation_id: UUID, *, limit: int) -> list[Message]:
    """The last `limit` messages of customer, assistant and staff, oldest first; their HTML is left where it is."""
    return fetched(Message, _SPOKEN, {"conversation": conversation_id, "limit": limit})[::-1]
