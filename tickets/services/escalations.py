"""Escalations: a conversation's way to a person. One is open at a time, held by the database."""

from __future__ import annotations

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from tickets import hours, jobs
from tickets.errors import Conflict
from tickets.events import event_append
from tickets.models import Conversation, Escalation, EscalationReason, Team
from tickets.publishing import INBOX_GROUP, publish
from tickets.queue import enqueue
from tickets.selectors.escalations import escalation_open_of, queue_position

URGENT_WITHIN = timedelta(minutes=5)
URGENT = {EscalationReason.LEGAL, EscalationReason.SAFETY}
DEFAULT_TEAM = "support"
MAX_SUMMARY = 2000


@transaction.atomic
def escalation_open(*, conversation: Conversation, reason: str, summary: str = "", team: str = "") -> Escalation:
    """Put the conversation before a person; while one is open, that one is returned and nothing changes.

    An unknown team falls back to the general one; an unknown reason raises ValueError. Raises Conflict for a background
    task, which has nobody to hand over.
    """
    reason = EscalationReason(reason)
    if conversation.channel == Conversation.Channel.TASK:
        raise Conflict("A background task cannot be handed to a person.")
    conversation.refresh_from_db(fields=["status"], from_queryset=Conversation.objects.select_for_update(no_key=True))
    if (known := escalation_open_of(conversation)) is not None:
        return known
    within = URGENT_WITHIN if reason in URGENT else hours.FIRST_REPLY
    try:
        with transaction.atomic():
            escalation = Escalation.objects.create(
                conversation=conversation,
                reason=reason,
                summary=summary[:MAX_SUMMARY],
                team=_team(team),
                due_at=hours.due_at(timezone.now(), within),
            )
    except IntegrityError:
        known = escalation_open_of(conversation)
        if known is None:
            raise
        return known
    conversation.status, conversation.team = Conversation.Status.WAITING, escalation.team
    conversation.closed_at = None
    conversation.save(update_fields=["status", "team", "closed_at"])
    event_append(
        conversation=conversation,
        type="status",
        payload={
            "status": conversation.status,
            "team": escalation.team.name,
            "queue_position": queue_position(escalation),
        },
    )
    enqueue(jobs.announce_escalation, str(escalation.pk), queue="mail")
    transaction.on_commit(lambda: publish([(INBOX_GROUP, {"type": "inbox.changed", "id": str(conversation.pk)})]))
    return escalation


def _team(slug: str) -> Team:
    team = Team.objects.filter(slug=slug).first() if slug else None
    if team is None:
        team, _ = Team.objects.get_or_create(slug=DEFAULT_TEAM, defaults={"name": "Support"})
    return team
