"""Spot checks: staff judge an answer blind, in two steps. First, from what was known before it, whether a person should
have taken over; that is kept for good before anything else is shown. Then whether every statement is right.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from support_agent.models import SpotCheck, SpotLabel
from tickets.access import require_role
from tickets.errors import Conflict, NotAllowed, NotFound, TooLong
from tickets.models import Conversation, Escalation, Message, Role, User
from tickets.models.conversations import ERASED
from tickets.redaction import without_secrets
from tickets.services.audit import audit

LABELLERS = (Role.AGENT, Role.LEAD, Role.ADMIN)
"""Who answers customers judges answers; ops look."""
HELD = timedelta(minutes=30)
"""For so long who has begun keeps their place."""
MAX_NOTE = 500
UNTOLD = (None, "told at closing")
"""What the audit has of a label while its check is open: leads and admins read the audit, and judge too."""
Accuracy = SpotLabel.Accuracy


def spot_checks_open(staff: User) -> QuerySet[SpotCheck]:
    """What waits for this member of staff: open, not of a conversation they served, with a place left; begun first."""
    held = Q(labels__created_at__gt=timezone.now() - HELD) | ~Q(labels__accuracy="")
    mine = SpotLabel.objects.filter(spot_check=OuterRef("pk"), staff=staff)
    gone = Message.objects.filter(turn_id=OuterRef("turn"), text=ERASED)
    return (
        SpotCheck.objects.filter(closed_at=None)
        .annotate(places_taken=Count("labels", filter=held & ~Q(labels__staff=staff)), is_begun=Exists(mine))
        .filter(places_taken__lt=F("wanted"))
        .exclude(Exists(mine.exclude(accuracy="")))
        .exclude(Exists(gone))
        .exclude(_served(staff))
        .order_by("-is_begun", "created_at", "pk")
    )


def spot_check_of(*, check_id: UUID, staff: User) -> SpotCheck:
    """The check, with its turn and conversation. Raises NotFound, also for what was erased meanwhile, or NotAllowed."""
    check = SpotCheck.objects.select_related("turn__conversation__customer").filter(pk=check_id).first()
    if check is None or Message.objects.filter(turn_id=check.turn_id, text=ERASED).exists():
        raise NotFound("There is no such check.")
    if SpotCheck.objects.filter(_served(staff), pk=check_id).exists():
        raise NotAllowed("You served this conversation yourself: somebody else judges it.")
    return check


@transaction.atomic
def spot_label_begin(*, check_id: UUID, staff: User, needs_person: bool) -> SpotLabel:
    """Step 1. Said once, it stands. Raises Conflict when the check was closed or taken meanwhile, or it was said
    otherwise before."""
    check = _locked(check_id, staff)
    known = SpotLabel.objects.filter(spot_check=check, staff=staff).first()
    if known is not None:
        if known.needs_person != needs_person:
            raise Conflict("You have said so already, and what was said before the answer was shown stands.")
        return known
    if check.closed_at is not None or not spot_checks_open(staff).filter(pk=check.pk).exists():
        raise Conflict("Others have judged this one meanwhile, or are at it.")
    label = SpotLabel.objects.create(spot_check=check, staff=staff, needs_person=needs_person)
    audit(actor=staff, action="spot_label.begin", obj=label, changes={"needs_person": UNTOLD})
    if not has_answer(check):
        _judge(label, check, Accuracy.UNCLEAR, "")
    return label


@transaction.atomic
def spot_label_judge(*, check_id: UUID, staff: User, accuracy: str, note: str = "") -> SpotLabel:
    """Step 2; until the check is closed it may be corrected. Raises Conflict before step 1 and after closing."""
    note = without_secrets(note.strip())
    if accuracy not in Accuracy.values:
        raise Conflict("Say whether it is right, wrong, or cannot be told.")
    if len(note) > MAX_NOTE:
        raise TooLong(MAX_NOTE)
    check = _locked(check_id, staff)
    label = SpotLabel.objects.filter(spot_check=check, staff=staff).first()
    if label is None:
        raise Conflict("Say first whether a person should have taken over.")
    if (label.accuracy, label.note) == (accuracy, note):
        return label  # sent twice
    if check.closed_at is not None:
        raise Conflict("This check is closed, and what was said of it stands.")
    _judge(label, check, accuracy, note)
    return label


def has_answer(check: SpotCheck) -> bool:
    return Message.objects.filter(turn_id=check.turn_id, role=Message.Role.ASSISTANT).exists()


def _judge(label: SpotLabel, check: SpotCheck, accuracy: str, note: str) -> None:
    label.accuracy, label.note = accuracy, note
    label.save(update_fields=["accuracy", "note"])
    audit(actor=label.staff, action="spot_label.judge", obj=label, changes={"accuracy": UNTOLD})
    if check.labels.exclude(accuracy="").count() >= check.wanted:
        spot_check_close(check=check)


def spot_check_close(*, check: SpotCheck) -> None:
    """From now on nothing of it changes, and the audit may tell what each has said. Wants a transaction."""
    check.closed_at = timezone.now()
    check.save(update_fields=["closed_at"])
    for label in check.labels.order_by("created_at"):
        said = {"needs_person": (None, label.needs_person), "accuracy": (None, label.accuracy)}
        audit(actor=None, action="spot_label.close", obj=label, changes=said)


def _locked(check_id: UUID, staff: User) -> SpotCheck:
    require_role(staff, *LABELLERS)
    check = spot_check_of(check_id=check_id, staff=staff)
    return SpotCheck.objects.select_for_update().get(pk=check.pk)


def _served(staff: User) -> Q:
    """Checks of conversations in which this person wrote, or which they took or have."""
    of = OuterRef("turn__conversation")
    wrote = Exists(Message.objects.filter(conversation=of, staff=staff))
    took = Exists(Escalation.objects.filter(conversation=of, claimed_by=staff))
    return Q(wrote) | Q(took) | Q(Exists(Conversation.objects.filter(pk=of, assignee=staff)))
