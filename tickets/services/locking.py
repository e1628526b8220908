"""The lock every writer of a conversation takes first."""

from __future__ import annotations

from uuid import UUID

from tickets.errors import NotFound
from tickets.models import Conversation
from tickets.sql import fetched

_LOCK = "SELECT {columns} FROM tickets_conversation WHERE id = %(id)s FOR NO KEY UPDATE"


def lock(conversation_id: UUID, *, known: Conversation | None = None) -> Conversation:
    """The conversation with its row locked to the end of the transaction. Raises NotFound.

    Whoever has read it before hands it in as `known`: its customer is not read a second time.
    """
    conversation = next(iter(fetched(Conversation, _LOCK, {"id": conversation_id})), None)
    if conversation is None:
        raise NotFound("There is no such conversation.")
    if known is not None and known.customer_id == conversation.customer_id and "customer" in known._state.fields_cache:
        conversation.customer = known.customer
    return conversation


def lock_free(conversation_id: UUID) -> Conversation | None:
    """Like `lock`, but None where somebody else holds it now (or it is gone): for jobs, which come by again."""
    free = Conversation.objects.select_for_update(no_key=True, skip_locked=True)
    return free.filter(pk=conversation_id).first()
