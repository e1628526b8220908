"""Reads of actions: the proposals of a conversation and what became of them."""

from __future__ import annotations

from uuid import UUID

from tickets.models import Action

OPEN_STATES = (Action.State.PROPOSED, Action.State.AWAITING_STAFF)


def actions_of_conversation(conversation_id: UUID, *, limit: int = 20) -> list[Action]:
    """Newest first."""
    return list(Action.objects.filter(conversation=conversation_id).order_by("-created_at")[:limit])


def actions_awaiting_staff(*, limit: int = 100) -> list[Action]:
    """What a member of staff has to approve or refuse, oldest first, with conversation and customer."""
    waiting = Action.objects.filter(state=Action.State.AWAITING_STAFF).select_related("conversation", "customer")
    return list(waiting.order_by("created_at")[:limit])
