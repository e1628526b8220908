"""Messages: who said what. Every writer takes the conversation's row lock through its event's `seq`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from tickets.errors import MAX_TEXT, Conflict, Empty, TooLong
from tickets.events import event_append
from tickets.ids import new_id
from tickets.markdown import render
from tickets.models import Conversation, Message, User

Json = dict[str, Any]
ASSISTANT_NAME = "Assistant"


def message_post(
    *,
    conversation: Conversation,
    client_message_id: UUID,
    text: str,
    attachments: Sequence[Json] = (),
    turn_id: UUID | None = None,
) -> tuple[Message, bool]:
    """The customer's message, exactly once per `client_message_id`: (message, whether it is new).

    `turn_id` is the turn that will answer it. Raises Empty, TooLong, or Conflict when the id came with another text.
    """
    text = check_text(text, allow_empty=bool(attachments))
    known = message_posted(conversation=conversation, client_message_id=client_message_id, text=text)
    if known is not None:
        return known, False
    try:
        with transaction.atomic():
            message = _add(
                conversation,
                Message.Role.CUSTOMER,
                text,
                client_message_id=client_message_id,
                attachments=list(attachments),
                author=conversation.customer.name if conversation.customer else "",
                turn_id=turn_id,
            )
            return message, True
    except IntegrityError:  # the same message at the same moment on another socket
        known = message_posted(conversation=conversation, client_message_id=client_message_id, text=text)
        if known is None:
            raise
        return known, False


def message_posted(*, conversation: Conversation, client_message_id: UUID, text: str) -> Message | None:
    """The message that came with this id before; raises Conflict when it had another text."""
    known = Message.objects.filter(conversation=conversation, client_message_id=client_message_id).first()
    if known is not None and known.text != check_text(text, allow_empty=True):
        raise Conflict("A different message was already sent with this id.")
    return known


def message_system(*, conversation: Conversation, text: str, turn_id: UUID | None = None) -> Message:
    """A line of ours that names a fact or the next step."""
    return _add(conversation, Message.Role.SYSTEM, text, turn_id=turn_id)


def message_staff(*, conversation: Conversation, staff: User, text: str) -> Message:
    """A reply by a person. Raises Empty or TooLong."""
    text = check_text(text)
    profile = getattr(staff, "staff_profile", None)
    author = profile.display_name if profile else staff.get_full_name() or staff.get_username()
    return _add(conversation, Message.Role.STAFF, text, staff=staff, author=author)


def message_assistant(
    *,
    conversation: Conversation,
    text: str,
    turn_id: UUID,
    message_id: UUID | None = None,
    sources: Sequence[Json] = (),
) -> Message:
    """The one answer of a turn; a second one is refused by the database."""
    return _add(
        conversation,
        Message.Role.ASSISTANT,
        text,
        id=message_id or new_id(),
        turn_id=turn_id,
        sources=list(sources),
        author=ASSISTANT_NAME,
    )


def check_text(text: str, *, allow_empty: bool = False) -> str:
    """The text as it is kept: without NUL and outer blanks."""
    text = text.replace("\x00", "").strip()
    if not text and not allow_empty:
        raise Empty
    if len(text) > MAX_TEXT:
        raise TooLong
    return text


@transaction.atomic
def _add(conversation: Conversation, role: Message.Role, text: str, **fields: Any) -> Message:
    text = text.replace("\x00", "").encode("utf-8", "replace").decode()  # what PostgreSQL cannot keep
    message = Message(conversation=conversation, role=role, text=text, html=render(text), **fields)
    event_append(conversation=conversation, type="message", message=message)
    now = timezone.now()
    Conversation.objects.filter(pk=conversation.pk).update(last_message_at=now)
    conversation.last_message_at = now
    return message
