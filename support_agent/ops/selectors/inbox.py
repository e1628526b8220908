"""Reads behind the inbox: who waits, who has whom, and one thread with its customer."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, F, OuterRef, Prefetch, QuerySet, Subquery

from support_agent.ops.selectors.filters import TraceFilter
from tickets.models import Action, Conversation, Escalation, Event, Message, Order, Ticket

PAGE = 60
OPEN = [Escalation.Status.WAITING, Escalation.Status.CLAIMED]
Status = Conversation.Status


@dataclass(frozen=True)
class InboxRow:
    """A conversation in the list; `escalation` is the open one, `latest` the last thing said."""

    conversation: Conversation
    escalation: Escalation | None
    latest: Message | None


@dataclass(frozen=True)
class Thread:
    conversation: Conversation
    escalation: Escalation | None
    events: list[Event]
    orders: list[Order]
    tickets: list[Ticket]
    to_approve: list[Action]


def inbox_rows(status: str, *, team: str = "", words: TraceFilter | None = None) -> list[InboxRow]:
    """Those of a status: who waits by deadline, everybody else by last activity; three queries."""
    found = Conversation.objects.filter(status=status).select_related("customer", "assignee__staff_profile", "team")
    if team:
        found = found.filter(team__slug=team)
    if words is not None:
        found = words.apply(found)
    found = found.prefetch_related(_open_escalation())
    if status in (Status.WAITING, Status.HUMAN):
        due = Escalation.objects.filter(conversation=OuterRef("pk"), status__in=OPEN).values("due_at")[:1]
        found = found.annotate(due_at=Subquery(due)).order_by(F("due_at").asc(nulls_last=True), "last_message_at")
    else:
        found = found.order_by("-last_message_at")
    shown = list(found[:PAGE])
    latest = _latest([conversation.pk for conversation in shown])
    return [
        InboxRow(conversation, next(iter(conversation.escalations.all()), None), latest.get(conversation.pk))
        for conversation in shown
    ]


def inbox_counts() -> dict[str, int]:
    """How many there are of each open status."""
    counted = Conversation.objects.exclude(status=Status.CLOSED).values_list("status").annotate(Count("pk"))
    return dict(counted.order_by())


def thread_of(conversation: Conversation, *, limit: int = 300) -> Thread:
    """The last events and what a person wants beside them; six queries."""
    events = Event.objects.filter(conversation=conversation).select_related("message").order_by("-seq")[:limit]
    customer = conversation.customer
    return Thread(
        conversation=conversation,
        escalation=Escalation.objects.select_related("team", "claimed_by")
        .filter(conversation=conversation, status__in=OPEN)
        .first(),
        events=list(events)[::-1],
        orders=list(customer.orders.order_by("-placed_at")[:5]) if customer else [],
        tickets=list(customer.tickets.order_by("-created_at")[:5]) if customer else [],
        to_approve=list(conversation.actions.filter(state=Action.State.AWAITING_STAFF)),
    )


def _open_escalation() -> Prefetch[str, QuerySet[Escalation], str]:
    return Prefetch("escalations", Escalation.objects.filter(status__in=OPEN).select_related("team"))


def _latest(ids: list[UUID]) -> dict[UUID, Message]:
    """The last words of each, whoever said them."""
    spoken = Message.objects.filter(conversation__in=ids).exclude(role=Message.Role.SYSTEM)
    rows = spoken.order_by("conversation_id", "-seq").distinct("conversation_id").defer("html", "sources")
    return {message.conversation_id: message for message in rows}
