"""Reads behind one thread: what was said and noted, and whom it is about. Each in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from support_agent.models import Task, Turn
from support_agent.runtime.commitments import Commitment, suggested
from tickets.models import (
    Action,
    Conversation,
    Escalation,
    Event,
    Invoice,
    Note,
    Order,
    Promise,
    Survey,
    Ticket,
)

PAGE = 150
SHOWN = 5
OPEN = [Escalation.Status.WAITING, Escalation.Status.CLAIMED]
OVERLAP = timedelta(seconds=30)  # a note committed late has an older time than one shown already


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the thread: an event or a note."""

    seq: int
    at: datetime
    event: Event | None = None
    note: Note | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A stretch of a thread; `older` is the first `seq` shown when there is more before it, else 0."""

    items: list[Item]
    older: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """What the head of the thread tells and its buttons go by."""

    escalation: Escalation | None
    to_approve: list[Action]


@dataclass(frozen=True, slots=True)
class Panel:
    """Who this is and what belongs to them; `costs` are the assistant's in USD: (turns, summaries and drafts)."""

    orders: list[Order]
    tickets: list[Ticket]
    invoices: list[Invoice]
    past: list[Conversation]
    surveys: list[Survey]
    promises: list[Promise]
    suggested: list[Commitment]  # what staff wrote that commits us, and is no promise yet
    costs: tuple[Decimal, Decimal]


def said_latest(conversation: Conversation, *, before: int | None = None) -> Said:
    """The last page (before a `seq`), oldest first; two queries."""
    events = _events(conversation)
    if before is not None:
        events = events.filter(seq__lt=before)
    page = list(events.order_by("-seq")[: PAGE + 1])
    shown = page[:PAGE][::-1]
    older = shown[0].seq if len(page) > PAGE else 0
    notes = _notes(conversation).filter(after_seq__gte=older - 1 if older else 0)
    if before is not None:
        notes = notes.filter(after_seq__lt=before - 1)
    return Said(_in_order(shown, notes), older)


def said_after(conversation: Conversation, seq: int, since: datetime | None) -> list[Item]:
    """What came after a `seq`, and the notes since about a moment: the page knows which it has; two queries."""
    notes = _notes(conversation)
    notes = notes.filter(created_at__gt=since - OVERLAP) if since else notes.filter(after_seq__gte=seq)
    return _in_order(list(_events(conversation).filter(seq__gt=seq).order_by("seq")[:PAGE]), notes)


def state_of(conversation: Conversation) -> State:
    """Two queries."""
    escalation = Escalation.objects.select_related("team", "claimed_by__staff_profile", "assigned_to__staff_profile")
    return State(
        escalation=escalation.filter(conversation=conversation, status__in=OPEN).first(),
        to_approve=list(conversation.actions.filter(state=Action.State.AWAITING_STAFF).order_by("created_at")),
    )


def panel_of(conversation: Conversation) -> Panel:
    """Nine queries, whoever the customer is."""
    customer = conversation.customer_id
    mine = Q(customer=customer) if customer else Q(pk=None)
    linked = Ticket.linked.through.objects.filter(ticket=OuterRef("pk"), conversation=conversation.pk)
    here = Q(conversation=conversation) | Q(linked=conversation)
    tickets = Ticket.objects.filter(mine | here).annotate(is_linked=Exists(linked)).distinct()
    past = Conversation.objects.filter(mine).exclude(pk=conversation.pk).exclude(channel=Conversation.Channel.TASK)
    rated = Survey.objects.filter(Q(conversation=conversation) | Q(conversation__customer=customer or conversation.pk))
    turns = Turn.objects.filter(Q(conversation=conversation) | Q(task__about=conversation))
    sums = turns.aggregate(
        own=Sum("cost_usd", filter=Q(conversation=conversation), default=Decimal(0)),
        assists=Sum("cost_usd", filter=Q(task__about=conversation), default=Decimal(0)),
    )
    return Panel(
        orders=list(Order.objects.filter(mine).order_by("-placed_at")[:SHOWN]),
        tickets=list(tickets.order_by("-created_at")[:SHOWN]),
        invoices=list(Invoice.objects.filter(mine).order_by("-issued_at")[:SHOWN]),
        past=list(past.order_by("-last_message_at")[:SHOWN]),
        surveys=list(rated.filter(rating__isnull=False).select_related("conversation").order_by("-answered_at")[:3]),
        promises=list(
            conversation.promises.filter(state__in=[Promise.State.OPEN, Promise.State.MISSED]).select_related(
                "made_by__staff_profile"
            )[:SHOWN]
        ),
        suggested=suggested(conversation, timezone.now()),
        costs=(sums["own"], sums["assists"]),
    )


def assists_of(conversation: Conversation, *, limit: int = 6) -> list[Task]:
    """The newest summaries and drafts asked for about a conversation, with what they cost; one query."""
    asked = Task.objects.filter(about=conversation).select_related("turn", "requested_by__staff_profile")
    return list(asked.order_by("-created_at")[:limit])


def _events(conversation: Conversation) -> QuerySet[Event]:
    return Event.objects.filter(conversation=conversation).exclude(type="turn").select_related("message")


def _notes(conversation: Conversation) -> QuerySet[Note]:
    return Note.objects.filter(conversation=conversation).select_related("author__staff_profile")


def _in_order(events: Sequence[Event], notes: Iterable[Note]) -> list[Item]:
    items = [Item(event.seq, event.created_at, event=event) for event in events]
    items += [Item(note.after_seq, note.created_at, note=note) for note in notes]
    return sorted(items, key=lambda item: (item.seq, item.note is not None, item.at))
