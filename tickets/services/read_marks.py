"""How far each member of staff has read a conversation."""

from __future__ import annotations

from uuid import UUID

from django.db import connection, transaction

from tickets.models import Conversation, User
from tickets.publishing import group_of, publish
from tickets.selectors.read_marks import WITH_PEOPLE

PUT = """
    INSERT INTO tickets_readmark AS mark (user_id, conversation_id, seq)
    SELECT %s, id, LEAST(%s, last_seq) FROM tickets_conversation WHERE id = %s
    ON CONFLICT (user_id, conversation_id) DO UPDATE SET seq = EXCLUDED.seq WHERE mark.seq < EXCLUDED.seq
    RETURNING seq
"""  # one statement: two tabs of one person must not trip over each other


def read_mark_put(*, user: User, conversation_id: UUID, seq: int) -> None:
    """They have seen everything up to `seq`; it never goes back, nor past what there is. The customer is told."""
    with connection.cursor() as cursor:
        cursor.execute(PUT, [user.pk, max(0, min(seq, 2**62)), conversation_id])
        moved = cursor.fetchone()
    if moved and Conversation.objects.filter(pk=conversation_id, status__in=WITH_PEOPLE).exists():
        frame = {"type": "seen", "upto": moved[0]}  # `seq` is what only events have
        told = [(group_of(conversation_id), {"type": "conversation.frame", "frame": frame})]
        transaction.on_commit(lambda: publish(told))
