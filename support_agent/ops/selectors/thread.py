"""Reads behind one thread: what was said and noted, and whom it is about. Each in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.core.cache import cache
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from support_agent.models import Task, Turn
from support_agent.runtime.commitments import Commitment, suggested
from tickets.backends import ask_soon, backend, who_of
from tickets.backends.port import Unreachable
from tickets.backends.records import InvoiceRecord, OrderSummary, Who
from tickets.models import (
    Action,
    Conversation,
    Effect,
    Escalation,
    Event,
    Invoice,
    Note,
    Order,
    Promise,
    Survey,
    Ticket,
)
from tickets.selectors.effects import effects_given_up

PAGE = 150
SHOWN = 5
WAIT_S, FRESH_S = 2.0, 20  # a slow system keeps nobody from the thread
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
    to_find_out: list[Effect]  # what another system may have done, or not


@dataclass(frozen=True, slots=True)
class Panel:
    """Who this is and what belongs to them; `costs` are the assistant's in USD: (turns, summaries and drafts)."""

    orders: Sequence[Order | OrderSummary]
    tickets: list[Ticket]
    invoices: Sequence[Invoice | InvoiceRecord]
    past: list[Conversation]
    surveys: list[Survey]
    promises: list[Promise]
    suggested: list[Commitment]  # what staff wrote that commits us, and is no promise yet
    costs: tuple[Decimal, Decimal]
    is_remote: bool = False  # orders and invoices are another system's, without pages here
    is_away: bool = False  # and it did not answer


@dataclass(frozen=True, slots=True)
class Records:
    """A customer's newest orders and invoices."""

    orders: Sequence[Order | OrderSummary] = ()
    invoices: Sequence[Invoice | InvoiceRecord] = ()
    is_away: bool = False


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
    """Three queries."""
    escalation = Escalation.objects.select_related("team", "claimed_by__staff_profile", "assigned_to__staff_profile")
    return State(
        escalation=escalation.filter(conversation=conversation, status__in=OPEN).first(),
        to_approve=list(conversation.actions.filter(state=Action.State.AWAITING_STAFF).order_by("created_at")),
        to_find_out=list(effects_given_up(conversation.pk)),
    )


def panel_of(conversation: Conversation) -> Panel:
    """Nine queries, whoever the customer is; with a remote backend it is asked, outside of any transaction."""
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
    known = _records_of(conversation)
    return Panel(
        orders=known.orders,
        tickets=list(tickets.order_by("-created_at")[:SHOWN]),
        invoices=known.invoices,
        past=list(past.order_by("-last_message_at")[:SHOWN]),
        surveys=list(rated.filter(rating__isnull=False).select_related("conversation").order_by("-answered_at")[:3]),
        promises=list(
            conversation.promises.filter(state__in=[Promise.State.OPEN, Promise.State.MISSED]).select_related(
                "made_by__staff_profile"
            )[:SHOWN]
        ),
        suggested=suggested(conversation, timezone.now()),
        costs=(sums["own"], sums["assists"]),
        is_remote=backend().is_remote,
        is_away=known.is_away,
    )


def _records_of(conversation: Conversation) -> Records:
    """From our own tables, which have pages in the admin; or from the other system, at most every FRESH_S seconds."""
    customer = conversation.customer
    if not backend().is_remote:
        mine = Q(customer=customer) if customer else Q(pk=None)
        orders, invoices = Order.objects.filter(mine), Invoice.objects.filter(mine)
        return Records(list(orders.order_by("-placed_at")[:SHOWN]), list(invoices.order_by("-issued_at")[:SHOWN]))
    if customer is None:
        return Records()
    key = f"panel:{customer.pk}"
    known: Records | None = cache.get(key)
    if known is None:
        try:
            known = ask_soon(WAIT_S, _ask_records, who_of(customer))
        except Unreachable:
            known = Records(is_away=True)
        cache.set(key, known, FRESH_S)
    return known


def _ask_records(who: Who) -> Records:
    return Records(backend().orders(who, limit=SHOWN)[0], backend().invoices(who, limit=SHOWN))


def assists_of(conversation: Conversation, *, limit: int = 6) -> list[Task]:
    """The newest summaries and drafts that staff asked for, with what they cost; one query."""
    asked = (
        Task.objects.filter(about=conversation)
        .exclude(purpose=Task.Purpose.ANSWER)
        .select_related("turn", "requested_by__staff_profile")
    )
    return list(asked.order_by("-created_at")[:limit])


def _events(conversation: Conversation) -> QuerySet[Event]:
    return Event.objects.filter(conversation=conversation).exclude(type="turn").select_related("message")


def _notes(conversation: Conversation) -> QuerySet[Note]:
    return Note.objects.filter(conversation=conversation).select_related("author__staff_profile")


def _in_order(events: Sequence[Event], notes: Iterable[Note]) -> list[Item]:
    items = [Item(event.seq, event.created_at, event=event) for event in events]
    items += [Item(note.after_seq, note.created_at, note=note) for note in notes]
    return sorted(items, key=lambda item: (item.seq, item.note is not None, item.at))
