"""What became of an escalation and how a conversation came out, by the rules of the desk's own services."""

from __future__ import annotations

from datetime import datetime, timedelta

from tickets.demo.world import World
from tickets.models import Conversation, Escalation, Resolution, Survey, User
from tickets.services.chasing import LEFT
from tickets.services.resolutions import CONTENT, UNHAPPY

CLOSED_BY_CUSTOMER = 0.4


def waits(escalation: Escalation, staff: User | None, within: timedelta, now: datetime) -> None:
    """Assigned to somebody a minute ago or to nobody; reminded of when it is near, or late."""
    if staff is not None:
        escalation.assigned_to, escalation.assigned_at = staff, now - timedelta(minutes=1)
    if escalation.due_at <= now:
        escalation.chased_at, escalation.breached_at = escalation.due_at - within * LEFT, escalation.due_at
    elif escalation.due_at - within * LEFT <= now:
        escalation.chased_at = escalation.due_at - within * LEFT


def answered(escalation: Escalation, at: datetime) -> None:
    """The first reply of a person, late or in time."""
    if escalation.first_reply_at is None:
        escalation.first_reply_at = at
        escalation.breached_at = at if at > escalation.due_at else None


def resolved(world: World, conversation: Conversation, survey: Survey, staff: User | None) -> None:
    """Confirmed by closing it themselves or by a good survey, else assumed; a bad survey takes it back."""
    assert conversation.closed_at is not None
    is_confirmed = (survey.rating or 0) >= CONTENT or world.chance(CLOSED_BY_CUSTOMER)
    is_revoked = survey.rating is not None and survey.rating <= UNHAPPY
    world.add(
        Resolution,
        conversation.closed_at,
        conversation=conversation,
        kind=Resolution.Kind.CONFIRMED if is_confirmed else Resolution.Kind.ASSUMED,
        staff=staff,
        at=conversation.closed_at,
        revoked_at=survey.answered_at if is_revoked else None,
    )
