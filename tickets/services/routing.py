"""Whose turn it is: one waiting escalation is assigned to whoever has the least.

Locks are taken in one order, the conversation's row and then routing's, so that two escalations never fill the same
last place.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from tickets.models import Escalation, User
from tickets.publishing import publish_inbox
from tickets.selectors.escalations import awake
from tickets.selectors.workload import choose, loads_available
from tickets.services.audit import audit
from tickets.services.conversations import username_of

ROUTING_LOCK = 7_204_011  # an advisory lock of ours: one assignment at a time


def route(escalation: Escalation) -> User | None:
    """Assign a waiting one to whoever's turn it is, if anybody is free. The caller holds the conversation's lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ROUTING_LOCK])
    chosen = choose(loads_available(), escalation.team_id, passed=escalation.passed_by)
    if chosen is None:
        return None
    assign(escalation, chosen.user, actor=None)
    return chosen.user


def assign(escalation: Escalation, to: User | None, *, actor: User | None) -> None:
    """Write it, audit it, tell the inbox. The caller holds the conversation's lock."""
    before, escalation.assigned_to = escalation.assigned_to, to
    escalation.assigned_at = timezone.now() if to else None
    escalation.save(update_fields=["assigned_to", "assigned_at"])
    changes = {"assigned_to": (username_of(before), username_of(to))}
    audit(actor=actor, action="conversation.assign", obj=escalation.conversation, changes=changes)
    publish_inbox(escalation.conversation_id, "assigned" if to else "unassigned")


def unassigned(now: datetime) -> QuerySet[Escalation]:
    """What waits for anybody: nobody was asked yet, and it is not snoozed."""
    return Escalation.objects.filter(awake(now), status=Escalation.Status.WAITING, assigned_to=None)
