"""Persistent events with a gap-free `seq`, announced on their conversation's group after the commit."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F

from tickets.markdown import with_allowed_links
from tickets.models import Conversation, Event, Message
from tickets.publishing import group_of, publish


def message_payload(message: Message) -> dict[str, Any]:
    """The contract's message object."""
    payload: dict[str, Any] = {
        "id": str(message.pk),
        "role": message.role,
        "text": message.text,
        "html": message.html,
        "author": message.author,
        "sources": with_allowed_links(message.sources),
        "created_at": message.created_at.isoformat(),
    }
    if message.client_message_id:
        payload["client_message_id"] = str(message.client_message_id)
    if message.turn_id:
        payload["turn_id"] = str(message.turn_id)
    if message.attachments:
        payload["attachments"] = message.attachments
    if message.cards:
        payload["cards"] = message.cards
    return payload


def event_payload(event: Event) -> dict[str, Any]:
    """An event as clients see it. Action tokens are not in it: they are made when rendering for the owner."""
    payload = {"seq": event.seq, "type": event.type, **event.payload}
    if event.message is not None:
        payload["message"] = message_payload(event.message)
    return payload


def event_append(
    *, conversation: Conversation, type: str, payload: dict[str, Any] | None = None, message: Message | None = None
) -> Event:
    """Append the next event of a conversation; must run inside a transaction, which also orders writers."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("event_append needs a transaction: an event without its row would be a lie")
    # The row lock this UPDATE takes is what makes seq gap-free: it is held to the commit, and a rollback gives it back.
    Conversation.objects.filter(pk=conversation.pk).update(last_seq=F("last_seq") + 1)
    seq = Conversation.objects.values_list("last_seq", flat=True).get(pk=conversation.pk)
    conversation.last_seq = seq
    if message is not None:
        message.seq = seq
        if message._state.adding:
            message.save(force_insert=True)
        else:
            message.save(update_fields=["seq"])
    event = Event.objects.create(conversation=conversation, seq=seq, type=type, payload=payload or {}, message=message)
    announced = event_payload(event)
    transaction.on_commit(
        lambda: publish([(group_of(conversation.pk), {"type": "conversation.event", "event": announced})])
    )
    return event
