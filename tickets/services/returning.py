"""Back to the queue: what somebody was assigned or took over, and left unanswered; and on to a colleague."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from tickets import hours, jobs
from tickets.models import (
    AuditEntry,
    Availability,
    Conversation,
    Escalation,
    EscalationReason,
    Event,
    Message,
    Promise,
    StaffProfile,
    User,
    WebhookEvent,
)
from tickets.publishing import publish_inbox
from tickets.queue import enqueue
from tickets.selectors.escalations import escalation_open_of, queue_position
from tickets.selectors.workload import PRESENT_WITHIN, answerers
from tickets.services.audit import audit
from tickets.services.conversations import lock, lock_free, status_set, username_of, wake
from tickets.services.escalations import escalation_open
from tickets.services.promises import REPLY_TEXT, promise_make
from tickets.services.webhooks import tell_escalation

UNANSWERED = timedelta(minutes=5)  # of opening hours: then somebody else is asked
MAX_RETURNED = 200
REMINDED = "conversation.remind"
THANKS = (
    r"^\s*((ok(ay)?|great|perfect|super|many)[\s,.!]+)?"
    r"(thank(s| you)( (so|very) much| a lot| again)?|thx|ty|cheers)[\s.,!:)🙂😊👍🙏❤\uFE0F]*$"
)
WAITING_ANEW = ["due_at", "chased_at", "passed_by", "status", "claimed_by", "claimed_at", "assigned_to", "assigned_at"]


def return_unanswered(now: datetime | None = None) -> int:
    """Assignments and take-overs that nobody is there for; wakes what was snoozed until now. How many went back."""
    now = now or timezone.now()
    _wake(now)
    return _return_assigned(now) + _return_taken(now)


def give_back_assigned(staff: User) -> int:
    """What was assigned to them waits for anybody again; what they took over stays theirs."""
    mine = Escalation.objects.filter(status=Escalation.Status.WAITING, assigned_to=staff)
    return sum(_unassign(found, passed=False) for found in mine.order_by("due_at")[:MAX_RETURNED])


def ask_again(staff: User) -> None:
    """They are back: what they once left unanswered may be theirs again."""
    passed = Escalation.objects.filter(status=Escalation.Status.WAITING, passed_by__contains=[str(staff.pk)])
    for pk, conversation_id in passed.order_by("due_at").values_list("pk", "conversation_id")[:MAX_RETURNED]:
        with transaction.atomic():
            lock(conversation_id)
            escalation = passed.filter(pk=pk).first()
            if escalation is not None:
                escalation.passed_by = [key for key in escalation.passed_by if key != str(staff.pk)]
                escalation.save(update_fields=["passed_by"])


@transaction.atomic
def conversation_return(*, conversation: Conversation, why: str, actor: User | None = None) -> None:
    """From a person back to the queue, awake: the customer is told that they wait again. The caller holds the lock.

    The assistant may speak again; whoever had it is not asked for it again until they come back.
    """
    before, escalation, changed = conversation.assignee, escalation_open_of(conversation), wake(conversation)
    due = escalation.due_at if escalation else None
    if escalation is None:
        _open_anew(conversation)
    else:
        _wait_again(conversation, escalation, passed_by=before if actor is None else None)
        if escalation.due_at != due:
            changed["due_at"] = (due, escalation.due_at)
    audit(
        actor=actor,
        action=f"conversation.{why}",
        obj=conversation,
        changes={"status": ("human", "waiting"), "assignee": (username_of(before), None), **changed},
    )


def _open_anew(conversation: Conversation) -> None:
    """It was taken over without being asked for, so there is no escalation yet."""
    conversation.assignee = None
    conversation.save(update_fields=["assignee"])
    summary = "Somebody took it over and left it; the customer waits."
    escalation_open(conversation=conversation, reason=EscalationReason.UNSURE, summary=summary)


def _wait_again(conversation: Conversation, escalation: Escalation, *, passed_by: User | None) -> None:
    if escalation.first_reply_at is not None:  # their first wait is over, a second one begins
        escalation.due_at, escalation.chased_at = hours.due_at(timezone.now()), None
        promise_make(conversation=conversation, text=REPLY_TEXT, due_at=escalation.due_at, kind=Promise.Kind.REPLY)
    if passed_by is not None:
        escalation.passed_by = [*escalation.passed_by, str(passed_by.pk)]
    escalation.status = Escalation.Status.WAITING
    escalation.claimed_by = escalation.claimed_at = escalation.assigned_to = escalation.assigned_at = None
    escalation.save(update_fields=WAITING_ANEW)
    tell_escalation(escalation, WebhookEvent.ESCALATION_UPDATED)
    status_set(
        conversation,
        Conversation.Status.WAITING,
        assignee=None,
        why="returned",
        team=escalation.team.name,
        queue_position=queue_position(escalation),
    )


@transaction.atomic
def conversation_transfer(*, conversation: Conversation, to: User, actor: User) -> None:
    """On to a colleague: the customer is told who is there now. The caller holds the conversation's lock."""
    before, woken = conversation.assignee, wake(conversation)
    for escalation in Escalation.objects.filter(conversation=conversation, status=Escalation.Status.CLAIMED):
        escalation.claimed_by, escalation.claimed_at = to, timezone.now()
        escalation.save(update_fields=["claimed_by", "claimed_at"])
        tell_escalation(escalation, WebhookEvent.ESCALATION_UPDATED)
    status_set(conversation, Conversation.Status.HUMAN, assignee=to, why="transferred")
    changes = {"assignee": (username_of(before), username_of(to)), **woken}
    audit(actor=actor, action="conversation.transfer", obj=conversation, changes=changes)


def _return_assigned(now: datetime) -> int:
    """Assigned and not taken within five minutes, or to somebody who has gone."""
    here = StaffProfile.objects.filter(user=OuterRef("assigned_to"), seen_at__gte=now - PRESENT_WITHIN)
    able = User.objects.filter(answerers(), pk=OuterRef("assigned_to"))
    assigned = Escalation.objects.filter(status=Escalation.Status.WAITING, assigned_to__isnull=False)
    old = assigned.filter(assigned_at__lte=now - min(UNANSWERED, PRESENT_WITHIN)).annotate(
        is_here=Exists(here), is_able=Exists(able)
    )
    returned = 0
    for escalation in old.order_by("due_at")[:MAX_RETURNED]:
        assert escalation.assigned_at is not None
        is_late = hours.due_at(escalation.assigned_at, UNANSWERED) <= now
        if is_late or not escalation.is_here or not escalation.is_able:
            returned += _unassign(escalation, passed=is_late)
    return returned


@transaction.atomic
def _unassign(seen: Escalation, *, passed: bool) -> bool:
    """Take it back, unless it was taken back or given to somebody since it was `seen`: their time has just begun."""
    conversation = lock_free(seen.conversation_id)
    if conversation is None:
        return False
    same = Escalation.objects.filter(
        pk=seen.pk,
        status=Escalation.Status.WAITING,
        assigned_to=seen.assigned_to_id,
        assigned_at=seen.assigned_at,
    )
    escalation = same.select_related("assigned_to").first()
    if escalation is None or escalation.assigned_to is None:
        return False
    who = escalation.assigned_to
    if passed:
        escalation.passed_by = [*escalation.passed_by, str(who.pk)]
    escalation.assigned_to = escalation.assigned_at = None
    escalation.save(update_fields=["assigned_to", "assigned_at", "passed_by"])
    changes = {"assigned_to": (username_of(who), None)}
    audit(actor=None, action="conversation.unassign", obj=conversation, changes=changes)
    publish_inbox(conversation.pk, "unassigned")
    return True


def _return_taken(now: datetime) -> int:
    """Taken over, and the customer waits for an answer: back when its person is gone, else they are reminded once."""
    returned = 0
    for found in _waiting_for_staff(now)[:MAX_RETURNED]:
        if not _is_left(found, now) and not _is_slow(found, now):
            continue
        with transaction.atomic():
            locked = lock_free(found.pk)
            same = _waiting_for_staff(now).filter(pk=found.pk).first() if locked else None
            if locked is None or same is None:
                continue
            if _is_left(same, now):
                conversation_return(conversation=locked, why="left_unanswered")
                returned += 1
            elif _is_slow(same, now):
                _remind(locked, same.waits_since)  # type: ignore[attr-defined]
    return returned


def _is_left(conversation: Conversation, now: datetime) -> bool:
    """Nobody is there for it: its person may not answer any more, or is gone five minutes into the wait."""
    if not conversation.is_able:  # type: ignore[attr-defined]
        return True
    since: datetime = conversation.waits_since  # type: ignore[attr-defined]
    return not conversation.is_here and hours.due_at(since, UNANSWERED) <= now  # type: ignore[attr-defined]


def _is_slow(conversation: Conversation, now: datetime) -> bool:
    """Its person is here and the time for a reply is over; they were not reminded of this wait yet."""
    since: datetime = conversation.waits_since  # type: ignore[attr-defined]
    reminded = AuditEntry.objects.filter(action=REMINDED, object_id=str(conversation.pk), created_at__gte=since)
    return hours.due_at(since, hours.FIRST_REPLY) <= now and not reminded.exists()


def _remind(conversation: Conversation, since: datetime) -> None:
    audit(actor=None, action=REMINDED, obj=conversation, changes={"waits_since": (None, since)})
    publish_inbox(conversation.pk, "unanswered")
    enqueue(jobs.remind_of_customer, str(conversation.pk), queue="mail")


def _waiting_for_staff(now: datetime) -> QuerySet[Conversation]:
    """With a person, and the customer's words are not answered; `waits_since`: since when, counted from the take-over.

    What is snoozed or waits for its customer is left alone; words that only thank ask for nothing.
    """
    said = Message.objects.filter(conversation=OuterRef("pk")).order_by()
    answered = said.filter(role=Message.Role.STAFF).values("conversation").annotate(n=Max("seq")).values("n")
    asked = said.filter(role=Message.Role.CUSTOMER, seq__gt=OuterRef("answered_seq"))
    asked = asked.exclude(text__iregex=THANKS, attachments=[])
    taken = Event.objects.filter(conversation=OuterRef("pk"), type="status").order_by("-seq")
    here = StaffProfile.objects.filter(user=OuterRef("assignee"), seen_at__gte=now - PRESENT_WITHIN)
    return (
        Conversation.objects.filter(status=Conversation.Status.HUMAN, awaits_customer=False)
        .filter(Q(snoozed_until=None) | Q(snoozed_until__lte=now))
        .annotate(answered_seq=Coalesce(Subquery(answered), 0))
        .annotate(asked_at=Subquery(asked.order_by("seq").values("created_at")[:1]))
        .annotate(waits_since=Greatest("asked_at", Subquery(taken.values("created_at")[:1])))
        .annotate(
            is_here=Exists(here.filter(availability=Availability.AVAILABLE)),
            is_able=Exists(User.objects.filter(answerers(), pk=OuterRef("assignee"))),
        )
        .filter(Q(asked_at__isnull=False) | Q(is_able=False))
        .order_by("pk")
    )


def _wake(now: datetime) -> None:
    """What was snoozed until now shows again, as if something had happened in it."""
    for pk in Conversation.objects.filter(snoozed_until__lte=now).values_list("pk", flat=True)[:MAX_RETURNED]:
        if Conversation.objects.filter(pk=pk, snoozed_until__lte=now).update(snoozed_until=None):
            publish_inbox(pk, "woke")
