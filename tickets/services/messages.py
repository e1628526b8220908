"""Messages: who said what. Every writer takes the conversation's row lock through its event's `seq`."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from tickets.errors import MAX_TEXT, Conflict, Empty, TooLong
from tickets.events import event_append
from tickets.ids import new_id
from tickets.languages import Words, speaking
from tickets.markdown import render
from tickets.models import Conversation, Message, User
from tickets.publishing import publish_inbox
from tickets.redaction import without_secrets
from tickets.selectors.staff import staff_name
from tickets.services.resolutions import resolution_revoke
from tickets.sql import fetched

Json = dict[str, Any]
INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})
ASSISTANT_NAME = "Assistant"
_POSTED = """
SELECT {columns} FROM tickets_message
WHERE conversation_id = %(conversation)s AND client_message_id = %(client_message_id)s
"""
HIDDEN = _(
    "We hid a card number, password or key in your message: it was not saved, and nobody here has seen it. "
    "We never need one in this chat."
)


def message_post(
    *,
    conversation: Conversation,
    client_message_id: UUID,
    text: str,
    attachments: Sequence[Json] = (),
    turn_id: UUID | None = None,
    limit: int = MAX_TEXT,
) -> tuple[Message, bool]:
    """The customer's message, exactly once per `client_message_id`: (message, whether it is new).

    `turn_id` is the turn that will answer it; `limit` is larger only for what we write ourselves. Raises Empty,
    TooLong, or Conflict when the id came with another text.
    """
    known = message_posted(conversation=conversation, client_message_id=client_message_id, text=text, limit=limit)
    if known is not None:
        return known, False
    try:
        with transaction.atomic():
            message = message_customer(
                conversation=conversation,
                client_message_id=client_message_id,
                text=text,
                attachments=attachments,
                turn_id=turn_id,
                limit=limit,
            )
            return message, True
    except IntegrityError:  # the same message at the same moment on another socket
        known = message_posted(conversation=conversation, client_message_id=client_message_id, text=text, limit=limit)
        if known is None:
            raise
        return known, False


def message_customer(
    *,
    conversation: Conversation,
    client_message_id: UUID,
    text: str,
    attachments: Sequence[Json] = (),
    turn_id: UUID | None = None,
    limit: int = MAX_TEXT,
) -> Message:
    """As message_post, for who knows by the conversation's lock that it is new. Raises Empty or TooLong."""
    typed, text = text, check_text(text, allow_empty=bool(attachments), limit=limit)
    message = _add(
        conversation,
        Message.Role.CUSTOMER,
        text,
        client_message_id=client_message_id,
        attachments=list(attachments),
        author=conversation.customer.name if conversation.customer else "",
        turn_id=turn_id,
    )
    if without_secrets(typed) != typed:
        message_system(conversation=conversation, text=HIDDEN)
    return message


def message_posted(
    *, conversation: Conversation, client_message_id: UUID, text: str, limit: int = MAX_TEXT
) -> Message | None:
    """The message that came with this id before; raises Conflict when it had another text."""
    named = {"conversation": conversation.pk, "client_message_id": client_message_id}
    known = next(iter(fetched(Message, _POSTED, named)), None)
    if known is not None and known.text != check_text(text, allow_empty=True, limit=limit):
        raise Conflict("A different message was already sent with this id.")
    return known


def message_system(*, conversation: Conversation, text: Words, turn_id: UUID | None = None) -> Message:
    """A line of ours that names a fact or the next step."""
    with speaking(conversation.locale):  # a text of ours may still be in no language
        return _add(conversation, Message.Role.SYSTEM, str(text), turn_id=turn_id)


def message_staff(
    *, conversation: Conversation, staff: User, text: str, sources: Sequence[Json] = (), form_id: UUID | None = None
) -> Message:
    """A reply by a person, with the articles it links to. Raises Empty or TooLong."""
    return _add(
        conversation,
        Message.Role.STAFF,
        check_text(text),
        staff=staff,
        author=staff_name(staff),
        sources=list(sources),
        client_message_id=form_id,
    )


def message_assistant(
    *,
    conversation: Conversation,
    text: str,
    turn_id: UUID,
    message_id: UUID | None = None,
    sources: Sequence[Json] = (),
    cards: Sequence[Json] = (),
) -> Message:
    """The one answer of a turn, with the cards it shows; a second one is refused by the database."""
    return _add(
        conversation,
        Message.Role.ASSISTANT,
        text,
        id=message_id or new_id(),
        turn_id=turn_id,
        sources=list(sources),
        cards=list(cards),
        author=ASSISTANT_NAME,
    )


def check_text(text: str, *, allow_empty: bool = False, limit: int = MAX_TEXT) -> str:
    """The text as it is kept: without NUL, outer blanks, card numbers, keys and passwords."""
    text = text.replace("\x00", "").strip()
    if all(unicodedata.category(letter) in INVISIBLE for letter in text):
        text = ""  # zero-width letters and marks of direction alone say nothing
    if len(text) <= 2 * limit:  # what is longer is refused, and need not be read
        text = without_secrets(text)
    if not text and not allow_empty:
        raise Empty
    if len(text) > limit:
        raise TooLong(limit)
    return text


@transaction.atomic(savepoint=False)
def _add(conversation: Conversation, role: Message.Role, text: str, **fields: Any) -> Message:
    text = text.replace("\x00", "").encode("utf-8", "replace").decode()  # what PostgreSQL cannot keep
    message = Message(conversation=conversation, role=role, text=text, html=render(text), **fields)
    event = event_append(conversation=conversation, type="message", message=message)
    conversation.last_message_at = event.created_at
    if role == Message.Role.CUSTOMER:
        conversation.snoozed_until, conversation.awaits_customer = None, False
        resolution_revoke(conversation=conversation)
    if conversation.status in (Conversation.Status.WAITING, Conversation.Status.HUMAN):  # what staff look at
        publish_inbox(conversation.pk, "message")
    return message
