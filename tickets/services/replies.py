"""What a person writes to a customer: only who has taken the conversation over may."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from tickets.errors import Conflict
from tickets.models import Conversation, Message, User
from tickets.services.conversations import lock
from tickets.services.messages import message_staff


@transaction.atomic
def reply_post(*, conversation_id: UUID, staff: User, text: str) -> Message:
    """Answer as the person who has the conversation. Raises Conflict when that is somebody else, Empty, TooLong."""
    conversation = lock(conversation_id)
    if conversation.status != Conversation.Status.HUMAN:
        raise Conflict("Take the conversation over before you answer.")
    if conversation.assignee_id != staff.pk:
        raise Conflict("A colleague has this conversation.")
    return message_staff(conversation=conversation, staff=staff, text=text)
