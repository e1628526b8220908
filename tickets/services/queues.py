"""Which team's queue a conversation waits in."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from tickets import hooks
from tickets.access import require_role
from tickets.models import Escalation, Team, User, WebhookEvent
from tickets.publishing import publish_inbox
from tickets.selectors.workload import ANSWERERS
from tickets.services.audit import audit
from tickets.services.conversations import lock
from tickets.services.webhooks import tell_escalation


def escalation_move(*, escalation_ids: Sequence[UUID], team: Team, actor: User) -> int:
    """Put waiting conversations into a team's queue, where whoever is free gets them; how many moved.

    What somebody has taken over stays with them. Raises NotAllowed without a role that answers.
    """
    require_role(actor, *ANSWERERS)
    found = Escalation.objects.filter(pk__in=list(escalation_ids)).order_by("conversation_id")  # locks in one order
    moved = sum(_move(pk, conversation, team, actor) for pk, conversation in found.values_list("pk", "conversation_id"))
    if moved:
        for hook in hooks.on_hands_free:  # somebody of that team may be free
            hook()
    return moved


@transaction.atomic
def _move(escalation_id: UUID, conversation_id: UUID, team: Team, actor: User) -> bool:
    conversation = lock(conversation_id)
    escalation = Escalation.objects.select_related("team", "assigned_to").get(pk=escalation_id)
    if escalation.status != Escalation.Status.WAITING or escalation.team_id == team.pk:
        return False
    before, had = escalation.team, escalation.assigned_to
    escalation.team, escalation.assigned_to, escalation.assigned_at, escalation.passed_by = team, None, None, []
    escalation.save(update_fields=["team", "assigned_to", "assigned_at", "passed_by"])
    conversation.team = team
    conversation.save(update_fields=["team"])
    tell_escalation(escalation, WebhookEvent.ESCALATION_UPDATED)
    changes = {"team": (before.slug, team.slug)} | ({"assigned_to": (had.get_username(), None)} if had else {})
    audit(actor=actor, action="conversation.move", obj=conversation, changes=changes)
    publish_inbox(conversation_id, "moved")
    return True
