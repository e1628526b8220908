"""Who is to answer next: conversations that wait are assigned by load, and 'Next' takes the most urgent one over.

An assignment is not a claim: the customer still waits, and anybody may take the conversation over. Locks are taken in
one order, the conversation's row and then routing's, so that two escalations never fill the same last place.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.utils import timezone

from tickets.access import require_role, staff_roles
from tickets.errors import Conflict
from tickets.models import AuditEntry, Availability, Conversation, Escalation, Role, StaffProfile, User
from tickets.selectors.escalations import awake
from tickets.selectors.workload import ANSWERERS, loads_available, may_answer
from tickets.services import returning
from tickets.services.audit import audit
from tickets.services.conversations import NOBODY_THERE, conversation_claim, lock, lock_free
from tickets.services.routing import assign, route, unassigned

MAX_ROUTED = 200
NEXT = "conversation.next"
ONE_CLICK = timedelta(seconds=3)
LEADS = {Role.LEAD.value, Role.ADMIN.value}


def escalation_assign(*, escalation_ids: Sequence[UUID], to: User | None, actor: User) -> int:
    """Give open conversations to a person, or with None back to the queue; how many changed.

    One that was taken over is handed on: by whoever has it, or by a lead. Others' are left alone. Raises NotAllowed
    without a role that answers, Conflict for a person who may not answer, or for a background task's.
    """
    require_role(actor, *ANSWERERS)
    if to is not None and not may_answer(to):
        raise Conflict("This person does not answer customers. Choose somebody else.")
    is_lead = bool(staff_roles(actor) & LEADS)
    found = Escalation.objects.filter(pk__in=list(escalation_ids)).order_by("conversation_id")
    if found.filter(conversation__channel=Conversation.Channel.TASK).exists():
        raise Conflict(NOBODY_THERE)
    return sum(
        _assign_one(escalation_id, conversation_id, to, actor, is_lead)
        for escalation_id, conversation_id in found.values_list("pk", "conversation_id")
    )


@transaction.atomic
def escalation_next(*, staff: User) -> Conversation | None:
    """Take over the most urgent conversation for them: theirs and their team's first; None when nobody waits.

    Two who ask at once never get the same one: what a colleague is taking at this moment is passed over. One who asks
    twice at once (a double click) gets one, for the browser shows only the last answer.
    """
    require_role(staff, *ANSWERERS)
    User.objects.select_for_update(no_key=True).get(pk=staff.pk)  # their second click waits for the first
    if (same := _just_taken(staff)) is not None:
        return same
    seen_now(staff)
    for conversation_id in _in_order_for(staff).values_list("conversation_id", flat=True)[:50]:
        with transaction.atomic():
            conversation = lock_free(conversation_id)
            if conversation is not None and conversation.status == Conversation.Status.WAITING:
                taken = conversation_claim(conversation_id=conversation_id, staff=staff)
                audit(actor=staff, action=NEXT, obj=taken, changes={"assignee": (None, staff.username)})
                return taken
    return None


def availability_set(*, staff: User, availability: str, actor: User | None = None) -> None:
    """Available, busy or away. Who is not available loses what was assigned; who is gets what waits.

    Raises ValueError for another word.
    """
    value = Availability(availability)
    with transaction.atomic():
        profile, _ = StaffProfile.objects.select_for_update(of=("self",)).get_or_create(
            user=staff, defaults={"display_name": staff.get_full_name() or staff.get_username()}
        )
        before, profile.availability = profile.availability, value
        if actor is None or actor.pk == staff.pk:
            profile.seen_at = timezone.now()
        profile.save(update_fields=["availability", "seen_at"])
        if before != value:
            audit(actor=actor or staff, action="staff.availability", obj=profile,
                  changes={"availability": (before, value.value)})  # fmt: skip
    if value == Availability.AVAILABLE:
        returning.ask_again(staff)
    else:
        returning.give_back_assigned(staff)
    route_waiting()


def seen_now(staff: User) -> None:
    """They are at their inbox; whoever is not counts as away."""
    StaffProfile.objects.filter(user=staff).update(seen_at=timezone.now())


def route_waiting() -> int:
    """The job: what was left unanswered goes back to the queue, what waits is assigned; how many moved.

    Safe to run at any time, by several at once.
    """
    now = timezone.now()
    moved = returning.return_unanswered(now)
    if not any(load.is_free for load in loads_available(now)):
        return moved
    waiting = unassigned(now).order_by("due_at").values_list("pk", "conversation_id")[:MAX_ROUTED]
    for escalation_id, conversation_id in waiting:
        with transaction.atomic():
            if lock_free(conversation_id) is None:
                continue
            escalation = unassigned(now).select_related("conversation").filter(pk=escalation_id).first()
            moved += escalation is not None and route(escalation) is not None
    return moved


def _just_taken(staff: User) -> Conversation | None:
    """What their last 'Next' took, if that was a moment ago and it is still theirs."""
    recent = AuditEntry.objects.filter(action=NEXT, actor=staff, created_at__gt=timezone.now() - ONE_CLICK)
    key = recent.order_by("-created_at").values_list("object_id", flat=True).first()
    mine = Conversation.objects.filter(status=Conversation.Status.HUMAN, assignee=staff)
    return mine.filter(pk=key).first() if key else None


@transaction.atomic
def _assign_one(escalation_id: UUID, conversation_id: UUID, to: User | None, actor: User, is_lead: bool) -> bool:
    conversation = lock(conversation_id)
    escalation = Escalation.objects.select_related("assigned_to").get(pk=escalation_id)
    escalation.conversation = conversation
    if escalation.status == Escalation.Status.WAITING:
        if escalation.assigned_to_id == (to and to.pk):
            return False
        assign(escalation, to, actor=actor)
        return True
    is_theirs = conversation.assignee_id == actor.pk or is_lead
    if escalation.status != Escalation.Status.CLAIMED or not is_theirs or conversation.assignee_id == (to and to.pk):
        return False
    if to is None:
        returning.conversation_return(conversation=conversation, why="returned", actor=actor)
    else:
        returning.conversation_transfer(conversation=conversation, to=to, actor=actor)
    return True


def _in_order_for(staff: User) -> QuerySet[Escalation]:
    """Who waits: theirs and their team's first, then other teams', then what a colleague was given."""
    team_id = StaffProfile.objects.filter(user=staff).values_list("team_id", flat=True).first()
    ours = Q(assigned_to=staff) | (Q(assigned_to=None, team=team_id) if team_id else Q(assigned_to=None))
    rank = Case(
        When(ours, then=Value(0)),
        When(assigned_to=None, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    waiting = Escalation.objects.filter(awake(timezone.now()), status=Escalation.Status.WAITING)
    return waiting.annotate(rank=rank).order_by("rank", "due_at", "created_at")
