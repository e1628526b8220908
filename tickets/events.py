"""Persistent events with a gap-free `seq`, announced on their conversation's group after the commit."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

from tickets.markdown import with_allowed_links
from tickets.models import Conversation, Event, Message
from tickets.publishing import group_of, publish
from tickets.sql import as_json, prepared


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
    """Append the next event of a conversation; must run inside a transaction, which also orders writers.

    A `message` is a new one, written with its event.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("event_append needs a transaction: an event without its row would be a lie")
    event = Event(conversation=conversation, type=type, payload=payload or {}, message=message)
    values = {
        "conversation": conversation.pk,
        "type": type,
        "payload": as_json(event.payload),
        "created_at": event.created_at,
    }
    rows = prepared(_APPEND, values) if message is None else prepared(_APPEND_SAID, values | _columns(message))
    conversation.last_seq = event.seq = rows[0][0]
    event.pk = rows[0][1]
    event._state.adding, event._state.db = False, connection.alias
    if message is not None:
        message.seq, message._state.adding, message._state.db = event.seq, False, connection.alias
    announced = event_payload(event)
    transaction.on_commit(
        lambda: publish([(group_of(conversation.pk), {"type": "conversation.event", "event": announced})])
    )
    return event


def _columns(message: Message) -> dict[str, Any]:
    return {
        "message": message.pk,
        "role": str(message.role),
        "author": message.author,
        "staff": message.staff_id,
        "text": message.text,
        "html": message.html,
        "client_message_id": message.client_message_id,
        "turn_id": message.turn_id,
        "sources": as_json(message.sources),
        "attachments": as_json(message.attachments),
        "cards": as_json(message.cards),
        "said_at": message.created_at,
        "wakes": message.role == Message.Role.CUSTOMER,
    }


# The row lock that moving `last_seq` takes is what makes seq gap-free: it is held to the commit, and a rollback gives
# it back.
_APPEND = """
WITH moved AS (
  UPDATE tickets_conversation SET last_seq = last_seq + 1 WHERE id = %(conversation)s RETURNING last_seq
)
INSERT INTO tickets_event (conversation_id, seq, type, payload, created_at)
SELECT %(conversation)s, last_seq, %(type)s, %(payload)s::jsonb, %(created_at)s FROM moved
RETURNING seq, id
"""
# With a new message, which also is what the conversation heard last; the customer's ends whatever staff put off until
# they write again.
_APPEND_SAID = """
WITH moved AS (
  UPDATE tickets_conversation SET last_seq = last_seq + 1, last_message_at = %(created_at)s,
    snoozed_until = CASE WHEN %(wakes)s THEN NULL ELSE snoozed_until END,
    awaits_customer = awaits_customer AND NOT %(wakes)s
  WHERE id = %(conversation)s RETURNING last_seq
), said AS (
  INSERT INTO tickets_message (id, created_at, conversation_id, role, author, staff_id, text, html, client_message_id,
    turn_id, sources, attachments, cards, seq)
  SELECT %(message)s, %(said_at)s, %(conversation)s, %(role)s, %(author)s, %(staff)s, %(text)s, %(html)s,
    %(client_message_id)s, %(turn_id)s, %(sources)s::jsonb, %(attachments)s::jsonb, %(cards)s::jsonb, last_seq
  FROM moved
)
INSERT INTO tickets_event (conversation_id, seq, type, payload, message_id, created_at)
SELECT %(conversation)s, last_seq, %(type)s, %(payload)s::jsonb, %(message)s, %(created_at)s FROM moved
RETURNING seq, id
"""
