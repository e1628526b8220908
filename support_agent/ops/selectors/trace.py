"""One conversation turn by turn, with everything that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from support_agent.models import Step, Task, ToolCall, Turn
from support_agent.ops.selectors.filters import FAILED_STEPS
from support_agent.ops.selectors.traces import TOKENS, Totals
from tickets.models import Action, Conversation, Escalation, Event, Promise, Ticket

Json = dict[str, Any]
TURNS_SHOWN, STEPS_SHOWN = 25, 200  # of one page
FAULTS_SHOWN = 30
LIVE = (Turn.State.QUEUED, Turn.State.RUNNING)
BAD_STEPS = (*FAILED_STEPS, "cut")


@dataclass
class Block:
    """A stretch of a conversation: what was said and happened beside the turn that answered it, if one did."""

    turn: Turn | None
    events: list[Event] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)


@dataclass(frozen=True)
class Faults:
    """What went wrong anywhere in the conversation, the newest first."""

    turns: list[Turn]
    steps: list[Step]

    def __bool__(self) -> bool:
        return bool(self.turns or self.steps)

    @property
    def more(self) -> int:
        """How many the page leaves out."""
        return max(len(self.turns) - FAULTS_SHOWN, 0) + max(len(self.steps) - FAULTS_SHOWN, 0)


@dataclass
class Trace:
    conversation: Conversation
    totals: Totals
    blocks: list[Block]
    faults: Faults
    actions: list[Action]
    escalations: list[Escalation]
    tickets: list[Ticket]
    promises: list[Promise]
    tasks: list[Task]
    turn_ids: list[UUID]  # of all turns, in order: which one a link leads to
    older: UUID | None  # the first turn shown, when there are turns before it
    newer: UUID | None  # the first turn after those shown


def trace_of(conversation: Conversation, *, before: UUID | None = None, start: UUID | None = None) -> Trace:
    """The last turns of a conversation, those before turn `before`, or those from turn `start` on."""
    every = list(_in_order(conversation))
    order = [turn.pk for turn in every]
    first, last = _window(every, before, start)
    faults = faults_of(conversation, every)
    return Trace(
        conversation=conversation,
        totals=_totals(every, faults),
        blocks=_blocks(
            conversation,
            every[first:last],
            start=_first_seq(conversation, order[first]) if first else None,
            end=_first_seq(conversation, order[last]) if last < len(order) else None,
        ),
        faults=faults,
        actions=list(conversation.actions.select_related("decided_by").order_by("created_at")),
        escalations=list(
            conversation.escalations.select_related("team", "claimed_by", "assigned_to").order_by("created_at")
        ),
        tickets=list(conversation.tickets.order_by("created_at")),
        promises=list(conversation.promises.order_by("created_at")),
        tasks=list(conversation.assists.select_related("turn", "requested_by").order_by("created_at")),
        turn_ids=order,
        older=order[first] if first else None,
        newer=order[last] if last < len(order) else None,
    )


def _in_order(conversation: Conversation) -> QuerySet[Turn]:
    turns = Turn.objects.filter(conversation=conversation).select_related("task").defer("checkpoint", "reservation")
    return turns.order_by("created_at", "pk")


def _totals(turns: list[Turn], faults: Faults) -> Totals:
    totals = Totals(turns=len(turns), steps=sum(turn.step_count for turn in turns))
    for name in (*TOKENS, "cost_usd"):
        setattr(totals, name, sum((getattr(turn, name) for turn in turns), getattr(totals, name)))
    totals.failed_turns = len(faults.turns)
    totals.errors = sum(step.status in FAILED_STEPS for step in faults.steps)
    return totals


def live_part(conversation: Conversation, start: UUID) -> list[Block]:
    """The blocks from a turn on, for a page that is already open."""
    turns = _from(conversation, start)[:TURNS_SHOWN]
    return _blocks(conversation, list(turns), start=_first_seq(conversation, start))


def live_mark(conversation: Conversation, start: UUID) -> tuple[str, bool]:
    """What changes when the page from this turn on would look different, and whether something runs; one query."""
    found = list(_from(conversation, start).values_list("state", "attempt", "step_count"))
    states = "-".join(f"{state[0]}{attempt}.{steps}" for state, attempt, steps in found)
    return f"{conversation.last_seq}-{states}", any(state in LIVE for state, _, _ in found)


def _from(conversation: Conversation, start: UUID) -> QuerySet[Turn]:
    return _in_order(conversation).filter(created_at__gte=Turn.objects.filter(pk=start).values("created_at"))


def faults_of(conversation: Conversation, turns: list[Turn]) -> Faults:
    """Failed turns and steps of the whole conversation; one query."""
    steps = Step.objects.filter(status__in=BAD_STEPS, turn__conversation=conversation).defer("input", "output")
    found = list(steps.order_by("-turn__created_at", "-attempt", "-index"))
    return Faults([turn for turn in reversed(turns) if turn.state == Turn.State.FAILED], found)


def _window(turns: list[Turn], before: UUID | None, start: UUID | None) -> tuple[int, int]:
    """From which turn to before which a page shows, counted from `start` on or back from `before`."""
    order = [turn.pk for turn in turns]
    if start in order:
        first = order.index(start)
        return first, first + _fitting(turns[first:])
    last = order.index(before) if before in order else len(order)
    return last - _fitting(turns[:last][::-1]), last


def _fitting(turns: list[Turn]) -> int:
    """How many of these turns, from the first, make one page: at least one."""
    steps = 0
    for n, turn in enumerate(turns[:TURNS_SHOWN]):
        steps += turn.step_count
        if n and steps > STEPS_SHOWN:
            return n
    return min(len(turns), TURNS_SHOWN)


def _blocks(
    conversation: Conversation, turns: list[Turn], *, start: int | None = None, end: int | None = None
) -> list[Block]:
    """Turns with their rows beside the events from seq `start` up to before `end`; three queries."""
    blocks = {turn.pk: Block(turn) for turn in turns}
    for step in Step.objects.filter(turn__in=turns).order_by("attempt", "index"):
        blocks[step.turn_id].steps.append(step)
    for call in ToolCall.objects.filter(turn__in=turns).select_related("action").order_by("created_at", "pk"):
        blocks[call.turn_id].calls.append(call)
    events = Event.objects.filter(conversation=conversation).select_related("message__feedback").order_by("seq")
    if start is not None:
        events = events.filter(seq__gte=start)
    if end is not None:
        events = events.filter(seq__lt=end)
    return _placed(blocks, events)


def _first_seq(conversation: Conversation, turn: UUID) -> int | None:
    """Where a turn's part of the conversation begins: with the first message that is of it."""
    own = Event.objects.filter(conversation=conversation, message__turn_id=turn).order_by("seq")
    return own.values_list("seq", flat=True).first()


def _placed(blocks: dict[UUID, Block], events: QuerySet[Event]) -> list[Block]:
    ordered: list[Block] = []
    placed: set[UUID] = set()
    running: UUID | None = None
    for event in events:
        running = turn_of(event) or running  # what happens during a turn belongs to it
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
    return list(chain(ordered, (block for key, block in blocks.items() if key not in placed)))


def turn_of(event: Event) -> UUID | None:
    """The turn an event belongs to: by its message, or by its own payload."""
    if event.message is not None:
        return event.message.turn_id
    named = event.payload.get("turn_id")
    return UUID(named) if named else None
