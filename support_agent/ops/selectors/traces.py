"""Reads behind the list of traces: a page of conversations with what their turns add up to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Q, Sum

from support_agent.models import Step, Turn
from support_agent.ops.selectors.filters import FAILED_STEPS, TraceFilter
from support_agent.ops.selectors.patience import patience
from tickets.models import Conversation

PAGE = 50
EXPORT_PAGE, EXPORT_MOST = 500, 50_000
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
Cursor = tuple[datetime, UUID]


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

    @property
    def cache_share(self) -> float | None:
        """The part of the prompt tokens that was read from the cache."""
        prompt = self.input_tokens + self.cache_read_tokens + self.cache_write_tokens
        return self.cache_read_tokens / prompt if prompt else None


@dataclass(frozen=True)
class TraceRow:
    conversation: Conversation
    totals: Totals


def traces_page(wanted: TraceFilter, *, before: Cursor | None = None, limit: int = PAGE) -> tuple[list[TraceRow], bool]:
    """The newest matching conversations (last activity first) and whether there are more. Raises TooSlow.

    `before` is the last row of the page before: (last_message_at, id).
    """
    found = wanted.apply(Conversation.objects.select_related("customer", "assignee"))
    if before is not None:
        moment, key = before
        found = found.filter(Q(last_message_at__lt=moment) | Q(last_message_at=moment, pk__lt=key))
    with patience() if wanted.is_heavy else nullcontext():
        page = list(found.order_by("-last_message_at", "-pk")[: limit + 1])
    shown = page[:limit]
    totals = totals_of([conversation.pk for conversation in shown])
    return [TraceRow(conversation, totals[conversation.pk]) for conversation in shown], len(page) > limit


def all_traces(wanted: TraceFilter, most: int = EXPORT_MOST) -> Iterator[TraceRow]:
    """Every matching conversation, read in pages as they are needed."""
    before, written, has_more = None, 0, True
    while has_more and written < most:
        rows, has_more = traces_page(wanted, before=before, limit=EXPORT_PAGE)
        yield from rows
        written += len(rows)
        before = (rows[-1].conversation.last_message_at, rows[-1].conversation.pk) if rows else None


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
