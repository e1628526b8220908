"""A clock that is moved by hand, and the few things that customers and staff do in the tests of who answers next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest

from tests.cast import Cast
from tickets.models import AuditEntry, Conversation, Customer, Escalation, User
from tickets.services import assignment
from tickets.services.conversations import conversation_claim, conversation_create
from tickets.services.escalations import escalation_open
from tickets.services.messages import message_post

WEDNESDAY = datetime(2026, 11, 18, 18, 0, tzinfo=UTC)  # ten in the morning in Portland


class Clock:
    """The desk's time; staff named to `at` have their inbox open until the next step."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = WEDNESDAY
        # What `timezone.now` itself asks: models hold that function as their fields' default.
        patch.setattr("django.utils.timezone.datetime", SimpleNamespace(now=lambda tz: self.now))

    def step(self, minutes: float, *present: User) -> None:
        self.now += timedelta(minutes=minutes)
        at_inbox(*present)


def at_inbox(*staff: User) -> None:
    for person in staff:
        assignment.seen_now(person)


def asks(customer: Customer, reason: str = "asked", team: str = "billing") -> Conversation:
    conversation, _ = conversation_create(channel="chat", customer=customer, identity="session")
    says(conversation, "Where is my tent?")
    escalation_open(conversation=conversation, reason=reason, summary="Wants a person.", team=team)
    return again(conversation)


def says(conversation: Conversation, text: str = "Hello?") -> None:
    message_post(conversation=conversation, client_message_id=uuid4(), text=text)


def again(conversation: Conversation) -> Conversation:
    return Conversation.objects.get(pk=conversation.pk)


def escalation_of(conversation: Conversation) -> Escalation:
    return Escalation.objects.select_related("team", "assigned_to").get(conversation=conversation)


def assigned_to(conversation: Conversation) -> User | None:
    return escalation_of(conversation).assigned_to


def audited(action: str) -> list[tuple[User | None, dict[str, tuple[str, str]]]]:
    return [
        (entry.actor, {value.field: (value.before, value.after) for value in entry.values.all()})
        for entry in AuditEntry.objects.filter(action=action).order_by("created_at")
    ]


def taken_over(clock: Clock, cast: Cast) -> Conversation:
    conversation = asks(cast.owner)
    at_inbox(cast.agent)
    conversation_claim(conversation_id=conversation.pk, staff=cast.agent)
    return conversation
