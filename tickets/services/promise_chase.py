"""Promises are not forgotten: their people are reminded before the time, and a missed one is said to be missed."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from tickets import hours, mail
from tickets.models import Escalation, Promise, Team
from tickets.publishing import publish_inbox
from tickets.queue import enqueue
from tickets.selectors.escalations import awake
from tickets.services.action_promises import was_kept
from tickets.services.escalations import DEFAULT_TEAM
from tickets.services.locking import lock
from tickets.services.promises import State, promise_settle
from tickets.workspace import workspace

SOON = timedelta(hours=2)  # for a promise of days
SOONEST = timedelta(minutes=15)  # for one of an hour
AT_ONCE = 200


def promises_chase() -> int:
    """The job: settle what is past its time as missed, remind of what is nearly due; how many of both."""
    now = timezone.now()
    open_ones = Promise.objects.filter(state=State.OPEN)
    done = 0
    for promise in open_ones.filter(due_at__lte=now)[:AT_ONCE]:
        done += _miss(promise, now)
    long_ones = Q(due_at__gt=F("created_at") + 2 * SOON, due_at__lte=now + SOON)
    near = open_ones.filter(long_ones | Q(due_at__lte=now + SOONEST), chased_at=None, due_at__gt=now)
    for promise_id in near.values_list("pk", flat=True)[:AT_ONCE]:
        with transaction.atomic():
            if near.filter(pk=promise_id).update(chased_at=now):  # exactly one worker reminds
                done += _remind(Promise.objects.get(pk=promise_id), now)
    return done


def mail_promise(promise_id: str) -> None:
    """Tell whoever keeps this promise that it is nearly due, or that it was missed."""
    found = Promise.objects.select_related("conversation__assignee", "conversation__team", "made_by").get(pk=promise_id)
    if found.state not in (State.OPEN, State.MISSED):
        return
    to = keeper_address(found)
    if not to:
        return
    reference = found.conversation.reference
    what = "was missed" if found.state == State.MISSED else "is nearly due"
    mail.send(
        to=to,
        subject=f"A promise in {reference} {what}",
        # Not its words: they may hold a customer's, and e-mail is the wrong place for them.
        body=(
            f"A promise to the customer of {reference} {what}: {hours.moment(found.due_at)}, "
            f"{found.due_at:%d %b %H:%M} UTC.\n"
            f"Keep it, or say that it is withdrawn: {settings.SITE_ORIGIN}/admin/inbox/{found.conversation_id}/"
            + workspace().signature
        ),
    )


def keeper_address(promise: Promise) -> str:
    """Who has the conversation, else who promised, else the team, which is the general one when nobody chose any."""
    conversation = promise.conversation
    for person in (conversation.assignee, promise.made_by):
        if person is not None and person.is_active and person.email:
            return person.email
    team = conversation.team or Team.objects.filter(slug=DEFAULT_TEAM).first()
    return team.email if team else ""


def _miss(promise: Promise, now: datetime) -> int:
    kept = was_kept(promise)
    with transaction.atomic():
        lock(promise.conversation_id)
        if not Promise.objects.filter(pk=promise.pk, state=State.OPEN).exists():
            return 0  # settled at this very moment, or by another job, which has told of it
        promise_settle(promise=promise, state=State.KEPT if kept else State.MISSED)
        if not kept and not _is_chased_as_escalation(promise, now):
            enqueue(mail_promise, str(promise.pk), queue="mail")
    return 1


def _remind(promise: Promise, now: datetime) -> int:
    if _is_chased_as_escalation(promise, now):
        return 0
    enqueue(mail_promise, str(promise.pk), queue="mail")
    publish_inbox(promise.conversation_id, "promise_due")
    return 1


def _is_chased_as_escalation(promise: Promise, now: datetime) -> bool:
    """The promise of a reply has the same time as its escalation, whose people are told of that one.

    Not of one that was put off: nobody chases it, so its promise is all that is told of.
    """
    if promise.kind != Promise.Kind.REPLY:
        return False
    waiting = Escalation.objects.filter(conversation=promise.conversation_id, status=Escalation.Status.WAITING)
    return waiting.filter(awake(now), conversation__awaits_customer=False).exists()
