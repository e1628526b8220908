"""Reads behind the inbox: who waits, who has whom, and one thread with its customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, DateTimeField, F, Max, Prefetch, Q, QuerySet, Value, When
from django.db.models.functions import Greatest, Least

from support_agent.ops.selectors.inbox_filters import (
    OPEN,
    WITH_PEOPLE,
    InboxFilter,
    Status,
    narrowed,
    tab_of,
    unread_messages,
    with_deadlines,
)
from tickets.models import Conversation, Escalation, Message, StaffProfile, User
from tickets.selectors.workload import answerers
from tickets.services.conversations import CONNECTED

PAGE = 40
COUNTED = 999
"""Counts of lists that only grow stop here."""


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A conversation in the list; `escalation` is the open one, `latest` the last thing said, `unread` how many of the
    customer's messages this member of staff has not seen (none where the assistant is at it)."""

    conversation: Conversation
    escalation: Escalation | None
    latest: Message | None
    unread: int
    now: datetime

    @property
    def answer_due_at(self) -> datetime | None:
        """When the first answer is due, while nobody has given one."""
        escalation = self.escalation
        return escalation.due_at if escalation is not None and escalation.first_reply_at is None else None

    @property
    def promised_at(self) -> datetime | None:
        """When something else is due that we promised."""
        return getattr(self.conversation, "promised_at", None)

    @property
    def due_at(self) -> datetime | None:
        """The sooner of both."""
        return min((at for at in (self.answer_due_at, self.promised_at) if at is not None), default=None)

    @property
    def is_promise(self) -> bool:
        return self.due_at is not None and self.due_at != self.answer_due_at

    @property
    def is_late(self) -> bool:
        return self.due_at is not None and self.due_at <= self.now

    @property
    def is_connected(self) -> bool:
        seen = self.conversation.customer_seen_at
        return seen is not None and seen >= self.now - CONNECTED

    @property
    def is_snoozed(self) -> bool:
        until = self.conversation.snoozed_until
        return until is not None and until > self.now

    @property
    def owner(self) -> StaffProfile | None:
        """Who has it, or who is to take it."""
        who = self.conversation.assignee or (self.escalation and self.escalation.assigned_to)
        return getattr(who, "staff_profile", None)

    @property
    def is_offered(self) -> bool:
        """Given to somebody who has not taken it over yet."""
        return self.conversation.assignee_id is None and bool(self.escalation and self.escalation.assigned_to_id)


@dataclass(frozen=True, slots=True)
class InboxPage:
    rows: list[InboxRow]
    page: int
    has_next: bool


def inbox_page(by: InboxFilter, *, user: User, team_id: UUID | None, now: datetime) -> InboxPage:
    """One page of the list, most urgent first; four queries however many rows there are."""
    found = narrowed(tab_of(with_deadlines(now), by.tab, user, team_id, now), by, user, now)
    found = found.select_related("customer", "assignee__staff_profile", "team").prefetch_related(_open_escalation())
    first = (by.page - 1) * PAGE
    shown = list(_in_order(found, by.tab)[first : first + PAGE + 1])
    page = shown[:PAGE]
    latest, unread = _latest(page), _unread(page, user)
    rows = [
        InboxRow(one, next(iter(one.escalations.all()), None), latest.get(one.pk), unread.get(one.pk, 0), now)
        for one in page
    ]
    return InboxPage(rows, by.page, len(shown) > PAGE)


def inbox_counts(user: User, team_id: UUID | None, now: datetime) -> dict[str, int]:
    """How many each tab has, unfiltered: exact where people are needed, up to COUNTED elsewhere; three queries."""
    with_people = Conversation.objects.filter(status__in=WITH_PEOPLE).exclude(channel=Conversation.Channel.TASK)
    given = Q(status=Status.WAITING, escalations__assigned_to=user, escalations__status=Escalation.Status.WAITING)
    awake = Q(snoozed_until=None) | Q(snoozed_until__lte=now)
    counted = with_people.aggregate(
        waiting=Count("pk", distinct=True, filter=Q(status=Status.WAITING) & awake),
        mine=Count("pk", distinct=True, filter=Q(status=Status.HUMAN, assignee=user) | given),
        at_work=Count(
            "pk", distinct=True, filter=(Q(status=Status.HUMAN, assignee=user, awaits_customer=False) & awake) | given
        ),
        team=Count("pk", distinct=True, filter=Q(team=team_id) if team_id else Q(pk=None)),
    )
    return counted | {
        tab: tab_of(Conversation.objects.exclude(channel=Conversation.Channel.TASK), tab, user, team_id, now)
        .order_by()[: COUNTED + 1]
        .count()
        for tab in ("all", "closed")
    }


def newest_wait(team_id: UUID | None, user: User) -> datetime | None:
    """When a conversation last began to wait for this person: in their team (any, without a team), or given to them."""
    waiting = Escalation.objects.filter(status=Escalation.Status.WAITING)
    if team_id is not None:
        waiting = waiting.filter(Q(team=team_id) | Q(assigned_to=user))
    began = Case(When(assigned_to=user, then=Greatest("created_at", "assigned_at")), default=F("created_at"))
    newest: datetime | None = waiting.aggregate(newest=Max(began))["newest"]
    return newest


def staff_choices() -> list[StaffProfile]:
    """Everybody a conversation can be given to, by name."""
    people = StaffProfile.objects.filter(user__in=User.objects.filter(answerers()).values("pk"))
    return list(people.order_by("display_name"))


def _in_order(found: QuerySet[Any], tab: str) -> QuerySet[Conversation]:
    """Breach order: what is due, an answer or a promise, by its time; the rest by last word; what is parked last."""
    if tab == "closed":
        return found.order_by(F("closed_at").desc(nulls_last=True), "-last_message_at")
    unanswered = Case(When(first_reply_at__isnull=True, then=F("due")), default=Value(None))
    sooner = Least(unanswered, "promised_at")  # of PostgreSQL: what is not there is left out
    urgent = Case(When(parked=False, then=sooner), default=Value(None), output_field=DateTimeField())
    ordered: QuerySet[Conversation] = found.annotate(urgent=urgent).order_by(
        "parked", F("urgent").asc(nulls_last=True), F("due").desc(nulls_last=True), "-last_message_at", "pk"
    )
    return ordered


def _open_escalation() -> Prefetch[str, QuerySet[Escalation], str]:
    return Prefetch(
        "escalations",
        Escalation.objects.filter(status__in=OPEN).select_related("team", "assigned_to__staff_profile"),
    )


def _latest(page: list[Conversation]) -> Mapping[UUID, Message]:
    """The last words of each: where people are at it those of people: the assistant tells all who wait the same."""
    spoken = Message.objects.filter(conversation__in=page).exclude(role=Message.Role.SYSTEM)
    spoken = spoken.exclude(role=Message.Role.ASSISTANT, conversation__status__in=WITH_PEOPLE)
    rows = spoken.order_by("conversation_id", "-seq").distinct("conversation_id").defer("html", "sources")
    return {message.conversation_id: message for message in rows}


def _unread(page: list[Conversation], user: User) -> Mapping[UUID, int]:
    """How many messages of each the person has not seen; where the assistant answers, nobody has to."""
    asked = [conversation.pk for conversation in page if conversation.status in WITH_PEOPLE]
    counted = unread_messages(user).filter(conversation__in=asked).values("conversation").annotate(number=Count("pk"))
    return dict(counted.order_by().values_list("conversation", "number"))
