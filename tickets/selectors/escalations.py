"""Reads of escalations."""

from __future__ import annotations

from tickets.models import Conversation, Escalation


def escalation_open_of(conversation: Conversation) -> Escalation | None:
    """The waiting or claimed escalation of a conversation, if any."""
    return (
        Escalation.objects.select_related("team", "claimed_by")
        .filter(conversation=conversation, status__in=[Escalation.Status.WAITING, Escalation.Status.CLAIMED])
        .first()
    )


def queue_position(escalation: Escalation) -> int:
    """1 for whoever is served next by this team; the most urgent deadline goes first."""
    return (
        Escalation.objects.filter(
            team=escalation.team, status=Escalation.Status.WAITING, due_at__lt=escalation.due_at
        ).count()
        + 1
    )
