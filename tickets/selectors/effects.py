"""Reads of effects."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from tickets.models import Effect


def effects_given_up(conversation_id: UUID) -> QuerySet[Effect]:
    """What staff have to find out about in a conversation, the oldest first."""
    mine = Effect.objects.filter(action__conversation=conversation_id, state=Effect.State.GIVEN_UP, settled_at=None)
    return mine.select_related("action").order_by("created_at")
