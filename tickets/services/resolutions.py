"""How conversations come out. Confirmed and assumed are kept apart, and a word within 72 hours takes either back.

Confirmed by the customer: a survey of four or five, a thumb up for the last answer, or closing the conversation
themselves after an answer. Assumed: staff closed it after an answer, or nobody wrote for a day. Nothing is assumed
against the customer's own word: a survey of one or two, or a thumb down for the last answer. One stands per
conversation; `staff` is the person who answered last, and empty where the assistant answered alone.

Nothing here takes the conversation's lock but the job: callers hold it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.utils import timezone

from tickets.models import Conversation, Escalation, Feedback, Message, Resolution, Survey
from tickets.sql import prepared

CONTENT = 4  # of five: the problem is solved
UNHAPPY = 2
ASSUMED_AFTER = timedelta(hours=24)
REVOKED_WITHIN = timedelta(hours=72)
LOOKED_BACK = timedelta(days=14)
CLOSING = timedelta(minutes=1)  # older rows: the escalation was ended a moment before its conversation
MAX_ASSUMED = 2000
Kind = Resolution.Kind
_REVOKE = """
UPDATE tickets_resolution SET revoked_at = %(now)s
WHERE conversation_id = %(conversation)s AND revoked_at IS NULL AND at >= %(since)s
"""
ANSWERS = [Message.Role.ASSISTANT, Message.Role.STAFF]
OPEN = [Escalation.Status.WAITING, Escalation.Status.CLAIMED]


def resolution_confirm(*, conversation: Conversation) -> Resolution | None:
    """The customer says it is solved; an assumed one becomes confirmed. None for a conversation without an answer."""
    if _last_answer(conversation) is None:
        return None
    return _stand(conversation, Kind.CONFIRMED, timezone.now())


def resolution_of_close(*, conversation: Conversation, was_waiting: bool, by_customer: bool) -> Resolution | None:
    """Closed after an answer: confirmed by the customer, assumed for staff. Who gave up waiting was not helped."""
    if was_waiting or not _is_answered(conversation) or _is_unhappy(conversation):
        return None
    return _stand(conversation, Kind.CONFIRMED if by_customer else Kind.ASSUMED, timezone.now())


def resolution_of_survey(*, conversation: Conversation, rating: int) -> None:
    """Four and five confirm, one and two take back what stands, three says neither."""
    if rating >= CONTENT:
        resolution_confirm(conversation=conversation)
    elif rating <= UNHAPPY:
        _revoke(conversation)


def resolution_of_thumb(*, message: Message, helpful: bool) -> None:
    """A thumb for the last answer, with nothing said after it: up confirms, down takes back. Others say nothing."""
    if _last_said(message.conversation_id) != message.pk:
        return
    if helpful:
        if message.conversation.status != Conversation.Status.WAITING:
            resolution_confirm(conversation=message.conversation)
    else:
        _revoke(message.conversation)


def resolution_revoke(*, conversation: Conversation, now: datetime | None = None) -> None:
    """They wrote again, or need a person: what was resolved within 72 hours was not."""
    now = now or timezone.now()
    prepared(_REVOKE, {"conversation": conversation.pk, "now": now, "since": now - REVOKED_WITHIN})


def resolutions_assume(now: datetime | None = None) -> int:
    """The job: answered and quiet for a day is resolved; how many. Safe to run at any time, by several at once."""
    now = now or timezone.now()
    made = 0
    for pk in _quiet(now).values_list("pk", flat=True)[:MAX_ASSUMED]:
        with transaction.atomic():
            conversation = Conversation.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=pk).first()
            if conversation is not None and _quiet(now).filter(pk=pk).exists():
                _stand(conversation, Kind.ASSUMED, conversation.last_message_at + ASSUMED_AFTER)
                made += 1
    return made


def _quiet(now: datetime) -> QuerySet[Conversation]:
    """Whose last word was an answer, a day ago or more, that nobody is to follow up."""
    said = Message.objects.filter(conversation=OuterRef("pk")).exclude(role=Message.Role.SYSTEM).order_by("-seq")
    unhappy = Survey.objects.filter(
        conversation=OuterRef("pk"), rating__lte=UNHAPPY, answered_at__gte=OuterRef("last_message_at")
    )
    down = Feedback.objects.filter(message=OuterRef("last_id"), helpful=False)
    return (
        Conversation.objects.filter(
            last_message_at__lte=now - ASSUMED_AFTER, last_message_at__gt=now - ASSUMED_AFTER - LOOKED_BACK
        )
        .exclude(status=Conversation.Status.WAITING)
        .exclude(channel=Conversation.Channel.TASK)
        .exclude(Exists(Resolution.objects.filter(conversation=OuterRef("pk"), revoked_at=None)))
        .annotate(last_id=Subquery(said.values("pk")[:1]), last_role=Subquery(said.values("role")[:1]))
        .filter(last_role__in=ANSWERS)
        .exclude(Exists(down))
        .exclude(Exists(unhappy))
        .exclude(Exists(_gave_up()))
        .order_by("last_message_at")
    )


def _gave_up() -> QuerySet[Escalation]:
    """Closed while they waited for a person: an answer of the assistant's is no answer to that."""
    return Escalation.objects.filter(
        conversation=OuterRef("pk"),
        status=Escalation.Status.CLOSED,
        claimed_by=None,
        ended_at__gte=OuterRef("closed_at") - CLOSING,
    )


def _stand(conversation: Conversation, kind: str, at: datetime) -> Resolution:
    """The one that stands, made or raised from assumed to confirmed."""
    known = _standing(conversation).first()
    if known is None:
        try:
            with transaction.atomic():
                return Resolution.objects.create(
                    conversation=conversation, kind=kind, at=at, staff_id=_answered_by(conversation)
                )
        except IntegrityError:  # made at this moment by another
            known = _standing(conversation).get()
    if kind == Kind.CONFIRMED and known.kind != kind:
        known.kind = kind
        known.save(update_fields=["kind"])
    return known


def _standing(conversation: Conversation) -> QuerySet[Resolution]:
    return Resolution.objects.filter(conversation=conversation, revoked_at=None)


def _revoke(conversation: Conversation) -> None:
    _standing(conversation).update(revoked_at=timezone.now())


def _spoken(conversation_id: UUID) -> QuerySet[Message]:
    said = Message.objects.filter(conversation=conversation_id).exclude(role=Message.Role.SYSTEM)
    return said.order_by("-seq")


def _last_said(conversation_id: UUID) -> UUID | None:
    return _spoken(conversation_id).values_list("pk", flat=True).first()


def _last_answer(conversation: Conversation) -> UUID | None:
    return _spoken(conversation.pk).filter(role__in=ANSWERS).values_list("pk", flat=True).first()


def _is_answered(conversation: Conversation) -> bool:
    last = _spoken(conversation.pk).values_list("role", flat=True).first()
    return last in ANSWERS


def _is_unhappy(conversation: Conversation) -> bool:
    last = _last_said(conversation.pk)
    return Feedback.objects.filter(message=last, helpful=False).exists()


def _answered_by(conversation: Conversation) -> UUID | None:
    """The last of staff who wrote to them, or None where the assistant answered alone."""
    written = _spoken(conversation.pk).filter(role=Message.Role.STAFF, staff__isnull=False)
    return written.values_list("staff_id", flat=True).first()
