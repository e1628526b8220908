"""Reads behind the trace pages: a page of conversations with their totals, and one conversation turn by turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, Sum

from support_agent.models import Step, ToolCall, Turn
from support_agent.ops.selectors.filters import FAILED_STEPS, TraceFilter
from tickets.models import Action, Conversation, Escalation, Event

Json = dict[str, Any]
PAGE = 50
TURNS_SHOWN = 60
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")


@dataclass
class Totals:
    """What a conversation's turns add up to; tokens as the API counts them, cost in USD."""

    turns: int = 0
    steps: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: Decimal = Decimal("0")
    failed_turns: int = 0
    errors: int = 0


@dataclass(frozen=True)
class TraceRow:
    conversation: Conversation
    totals: Totals


@dataclass
class Block:
    """A stretch of a conversation: what was said and happened beside the turn that answered it, if one did."""

    turn: Turn | None
    events: list[Event] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)


@dataclass
class Trace:
    conversation: Conversation
    totals: Totals
    blocks: list[Block]
    actions: list[Action]
    escalations: list[Escalation]
    older: UUID | None  # the first turn shown, when there are turns before it


def traces_page(
    wanted: TraceFilter, *, before: tuple[datetime, UUID] | None = None, limit: int = PAGE
) -> tuple[list[TraceRow], bool]:
    """The newest matching conversations (last activity first) and whether there are more; three queries.

    `before` is the last row of the page before: (last_message_at, id).
    """
    found = wanted.apply(Conversation.objects.select_related("customer", "assignee"))
    if before is not None:
        moment, key = before
        found = found.filter(Q(last_message_at__lt=moment) | Q(last_message_at=moment, pk__lt=key))
    page = list(found.order_by("-last_message_at", "-pk")[: limit + 1])
    shown = page[:limit]
    totals = totals_of([conversation.pk for conversation in shown])
    return [TraceRow(conversation, totals[conversation.pk]) for conversation in shown], len(page) > limit


def totals_of(ids: list[UUID]) -> dict[UUID, Totals]:
    """Totals of each conversation, in two queries."""
    totals = {key: Totals() for key in ids}
    sums = Turn.objects.filter(conversation__in=ids).order_by().values_list("conversation")
    summed = ("step_count", *TOKENS, "cost_usd")  # in the order of Totals
    failed_turns = Count("pk", filter=Q(state=Turn.State.FAILED))
    for key, *values in sums.annotate(Count("pk"), *(Sum(name) for name in summed), failed=failed_turns):
        totals[key] = Totals(*values)
    failed = Step.objects.filter(turn__conversation__in=ids, status__in=FAILED_STEPS)
    for key, count in failed.order_by().values_list("turn__conversation").annotate(Count("pk")):
        totals[key].errors = count
    return totals


def trace_of(conversation: Conversation, *, before: UUID | None = None) -> Trace:
    """The last turns of a conversation (those before turn `before`) with all that belongs to them; eight queries."""
    turns = Turn.objects.filter(conversation=conversation).order_by("-created_at", "-pk")
    if before is not None:
        turns = turns.filter(created_at__lt=Turn.objects.filter(pk=before).values("created_at"))
    shown = list(turns[: TURNS_SHOWN + 1])
    older = shown[TURNS_SHOWN - 1].pk if len(shown) > TURNS_SHOWN else None
    shown = shown[:TURNS_SHOWN][::-1]
    return Trace(
        conversation=conversation,
        totals=totals_of([conversation.pk])[conversation.pk],
        blocks=_blocks(conversation, shown, before=before, older=older),
        actions=list(conversation.actions.select_related("decided_by").order_by("created_at")),
        escalations=list(conversation.escalations.select_related("team", "claimed_by").order_by("created_at")),
        older=older,
    )


def _blocks(conversation: Conversation, turns: list[Turn], *, before: UUID | None, older: UUID | None) -> list[Block]:
    blocks = {turn.pk: Block(turn) for turn in turns}
    for step in Step.objects.filter(turn__in=turns).order_by("turn__created_at", "attempt", "index"):
        blocks[step.turn_id].steps.append(step)
    for call in ToolCall.objects.filter(turn__in=turns).select_related("action").order_by("created_at"):
        blocks[call.turn_id].calls.append(call)
    events = Event.objects.filter(conversation=conversation).select_related("message").order_by("seq")
    if older is not None:
        events = events.filter(created_at__gte=turns[0].created_at)
    if before is not None and turns:
        events = events.filter(created_at__lte=turns[-1].finished_at or turns[-1].created_at)
    ordered: list[Block] = []
    placed: set[UUID] = set()
    running: UUID | None = None
    for event in events:
        running = _turn_of(event) or running  # what happens during a turn belongs to it
        block = blocks.get(running) if running else None
        if event.type == "turn":
            running = None
        if block is None:
            if not ordered or ordered[-1].turn is not None:
                ordered.append(Block(None))
            block = ordered[-1]
        elif block.turn is not None and block.turn.pk not in placed:
            placed.add(block.turn.pk)
            ordered.append(block)
        block.events.append(event)
    return ordered + [block for key, block in blocks.items() if key not in placed]


def _turn_of(event: Event) -> UUID | None:
    """The turn an event belongs to: by its message, or by its own payload."""
    if event.message is not None:
        return event.message.turn_id
    named = event.payload.get("turn_id")
    return UUID(named) if named else None
