"""Out of the way for a while: snoozed until a time, or until the customer writes; their next message ends both."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from tickets.access import require_role, staff_roles
from tickets.errors import Conflict
from tickets.models import Conversation, Role, User
from tickets.publishing import publish_inbox
from tickets.selectors.workload import ANSWERERS
from tickets.services.audit import audit
from tickets.services.conversations import lock_of_customer

LONGEST = timedelta(days=90)
LEADS = {Role.LEAD.value, Role.ADMIN.value}


@transaction.atomic
def conversation_snooze(*, conversation: Conversation, staff: User, until: datetime | None) -> Conversation:
    """Hide it until a time, or with None show it again. Raises Conflict when it is not theirs to put off, or the time
    is past or over 90 days away."""
    require_role(staff, *ANSWERERS)
    conversation = lock_of_customer(conversation.pk)
    now = timezone.now()
    if until is not None and not now < until <= now + LONGEST:
        raise Conflict(f"Choose a time within the next {LONGEST.days} days.")
    if until is not None:
        _check(conversation, staff)
    return _change(conversation, staff, "conversation.snooze", "snoozed_until", until)


@transaction.atomic
def conversation_await_customer(*, conversation: Conversation, staff: User, on: bool) -> Conversation:
    """Their answer is awaited: nobody is reminded until they write. Raises Conflict without having taken it over."""
    require_role(staff, *ANSWERERS)
    conversation = lock_of_customer(conversation.pk)
    if on and conversation.status != Conversation.Status.HUMAN:
        raise Conflict("Take the conversation over first.")
    if on:
        _check(conversation, staff)
    return _change(conversation, staff, "conversation.await_customer", "awaits_customer", on)


def _check(conversation: Conversation, staff: User) -> None:
    if conversation.status not in (Conversation.Status.WAITING, Conversation.Status.HUMAN):
        raise Conflict("Only what waits for a person can be put off.")
    is_theirs = conversation.assignee_id in (None, staff.pk)
    if not is_theirs and not staff_roles(staff) & LEADS:
        raise Conflict("A colleague has this conversation.")


def _change(conversation: Conversation, staff: User, action: str, field: str, value: object) -> Conversation:
    before = getattr(conversation, field)
    if before == value:
        return conversation
    setattr(conversation, field, value)
    conversation.save(update_fields=[field])
    audit(actor=staff, action=action, obj=conversation, changes={field: (before, value)})
    publish_inbox(conversation.pk, "snoozed" if field == "snoozed_until" else "awaits_customer")
    return conversation
