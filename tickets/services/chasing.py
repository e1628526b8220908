"""Before a reply is late somebody is reminded, and when it is late those who answer for it are told: once each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from tickets import hours, jobs
from tickets.models import AuditEntry, Escalation, EscalationReason
from tickets.publishing import publish_inbox
from tickets.queue import enqueue
from tickets.selectors.escalations import awake
from tickets.selectors.workload import leads, loads_available, members_of
from tickets.services.audit import audit
from tickets.services.escalations import ROUTES
from tickets.services.routing import ROUTING_LOCK

LEFT = 0.2  # of the time for a reply: then it is near its deadline
MAX_CHASED = 200
TOLD = "desk.nobody_there"
Status = Escalation.Status


def escalations_chase(now: datetime | None = None) -> int:
    """Remind of what is nearly due, and mark what is late; how many of both. Safe to run at any time.

    Ops hear of what is late from the alerts, which watch the same records. A mark and its mails are one commit.
    """
    now = now or timezone.now()
    with transaction.atomic():
        late = _marked(_unanswered(now).filter(_unmarked("breached_at"), due_at__lte=now), "breached_at", now)
        _mail({person.pk: late for person in leads()} if late else {})
    near: list[Escalation] = []
    if hours.is_open(now):
        waiting = _unanswered(now).filter(chased_at=None, due_at__gt=now)[:MAX_CHASED]
        with transaction.atomic():
            near = _marked([found for found in waiting if is_near(found, now)], "chased_at", now)
            _remind(near)
    return len(late) + len(near)


def is_near(escalation: Escalation, now: datetime) -> bool:
    """Whether no more than a fifth of its time, in opening hours, is left."""
    within = ROUTES[EscalationReason(escalation.reason)].within
    return hours.due_at(now, within * LEFT) >= escalation.due_at


def _unanswered(now: datetime) -> QuerySet[Escalation]:
    """Waiting, or taken over without a first reply; what staff put off is not chased."""
    open_ones = Q(status=Status.WAITING) | Q(status=Status.CLAIMED, first_reply_at=None)
    found = Escalation.objects.filter(open_ones, awake(now), conversation__awaits_customer=False)
    return found.select_related("team", "assigned_to", "claimed_by", "conversation").order_by("due_at")


def _marked(found: Iterable[Escalation], field: str, now: datetime) -> list[Escalation]:
    """Those that we are the first to mark: two jobs at once remind once."""
    return [escalation for escalation in islice(found, MAX_CHASED) if _mark(escalation, field, now)]


def _unmarked(field: str) -> Q:
    """Not yet. One late in an earlier wait can be late again: that mark is older than the new deadline."""
    unmarked = Q(**{field: None})
    return unmarked | Q(breached_at__lt=F("due_at")) if field == "breached_at" else unmarked


def _mark(escalation: Escalation, field: str, now: datetime) -> bool:
    first = Escalation.objects.filter(_unmarked(field), pk=escalation.pk).update(**{field: now}) == 1
    if first:
        publish_inbox(escalation.conversation_id, "due" if field == "chased_at" else "late")
    return first


def _remind(found: list[Escalation]) -> None:
    """Whoever has it; where nobody does, the whole team and the leads."""
    wanted: dict[UUID, list[Escalation]] = defaultdict(list)
    for escalation in found:
        owner = escalation.claimed_by or escalation.assigned_to
        for person in [owner] if owner else [*members_of(escalation.team), *leads()]:
            wanted[person.pk].append(escalation)
    _mail(wanted)


def _mail(wanted: Mapping[UUID, list[Escalation]]) -> None:
    """One mail a person, whatever it is about."""
    for user_id, found in wanted.items():
        ids = dict.fromkeys(str(escalation.pk) for escalation in found)
        enqueue(jobs.remind_of_escalations, str(user_id), *ids, queue="mail")


@transaction.atomic
def empty_desk_chase(now: datetime | None = None) -> int:
    """Tell the leads that customers wait and nobody is at the desk, once an hour at most; how many wait."""
    now = now or timezone.now()
    waiting = Escalation.objects.filter(awake(now), status=Status.WAITING, assigned_to=None).order_by("due_at")
    found = list(waiting.select_related("conversation")[:MAX_CHASED])
    if not found or not hours.is_open(now) or loads_available(now):
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ROUTING_LOCK])  # two jobs at once tell them once
    if AuditEntry.objects.filter(action=TOLD, created_at__gt=now - timedelta(hours=1)).exists():
        return 0
    audit(actor=None, action=TOLD, obj=found[0].conversation, changes={"waiting": (None, len(found))})
    _mail({person.pk: found for person in leads()})
    return len(found)
