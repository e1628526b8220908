"""Reads of escalations."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from tickets.models import Conversation, Escalation


def escalation_open_of(conversation: Conversation) -> Escalation | None:
    """The waiting or claimed escalation of a conversation, if any."""
    return (
        Escalation.objects.select_related("team", "claimed_by")
        .filter(conversation=conversation, status__in=[Escalation.Status.WAITING, Escalation.Status.CLAIMED])
        .first()
    )


def queue_position(escalation: Escalation) -> int:
    """1 for whoever is served next by this team: by deadline, and without what is snoozed."""
    return (
        Escalation.objects.filter(
            awake(timezone.now()), team=escalation.team, status=Escalation.Status.WAITING, due_at__lt=escalation.due_at
        ).count()
        + 1
    )


def awake(now: datetime) -> Q:
    """Escalations whose conversation is not snoozed."""
    return Q(conversation__snoozed_until=None) | Q(conversation__snoozed_until__lte=now)
