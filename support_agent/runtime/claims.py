"""Who owns a turn: claimed by one conditional update, leased, renewed, handed back; taken over when its owner died."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from support_agent.agent.types import Spend, StepKind, StepRecord, TurnState
from support_agent.models import Turn
from support_agent.runtime import signals
from support_agent.runtime.budgets import settle_reservation
from support_agent.runtime.steps import DIED, free_index, insert_steps
from tickets.models import Conversation, Customer
from tickets.sql import fetched

LEASE = timedelta(seconds=30)
MAX_ATTEMPTS = 5  # that take a turn no further

_CLAIM_QUEUED = """
UPDATE support_agent_turn SET state = 'running', owner = %(owner)s, attempt = attempt + 1,
       lease_until = now() + %(lease)s, started_at = coalesce(started_at, now())
WHERE id IN (
  SELECT t.id FROM support_agent_turn t
  WHERE t.state = 'queued' AND NOT EXISTS (
    SELECT 1 FROM support_agent_turn r WHERE r.conversation_id = t.conversation_id AND r.state = 'running')
  ORDER BY t.created_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING {columns}
"""
# A runner is alive while its session holds its advisory lock; the lease covers a partition between us and it.
_CLAIM_ORPHANS = """
UPDATE support_agent_turn SET owner = %(owner)s, attempt = attempt + 1, lease_until = now() + %(lease)s
WHERE id IN (
  SELECT id FROM support_agent_turn
  WHERE state = 'running' AND (lease_until < now() OR owner NOT IN (
    SELECT h.name FROM support_agent_heartbeat h JOIN pg_locks l
      ON l.locktype = 'advisory' AND l.classid = 0 AND l.objsubid = 1 AND l.granted AND l.objid::bigint = h.lock_key
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())))
  ORDER BY created_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING {columns}
"""
_CONVERSATIONS = "SELECT {columns} FROM tickets_conversation WHERE id = ANY(%(ids)s)"
_CUSTOMERS = "SELECT {columns} FROM tickets_customer WHERE id = ANY(%(ids)s)"


def claim(owner: str, limit: int, *, orphans_too: bool = True) -> list[Turn]:
    """Take up to `limit` turns: those a dead runner left first, then the queue. The caller is their only owner.

    Looking for the dead reads everybody's locks: a runner does so at its own pace, not with each turn that comes.
    """
    parameters: dict[str, Any] = {"owner": owner, "lease": LEASE, "limit": limit}
    orphans = fetched(Turn, _CLAIM_ORPHANS, parameters) if orphans_too else []
    queued = fetched(Turn, _CLAIM_QUEUED, {**parameters, "limit": limit - len(orphans)})
    found = _with_conversations([*orphans, *queued])
    for turn in orphans:
        charge_lost_call(turn, attempt=turn.attempt - 1)
    return found


def _with_conversations(turns: list[Turn]) -> list[Turn]:
    """The turns, each with its conversation and that one's customer at hand."""
    if not turns:
        return []
    found = fetched(Conversation, _CONVERSATIONS, {"ids": [turn.conversation_id for turn in turns]})
    theirs = [one.customer_id for one in found if one.customer_id]
    customers = {one.pk: one for one in fetched(Customer, _CUSTOMERS, {"ids": theirs})} if theirs else {}
    for conversation in found:
        conversation.customer = customers[conversation.customer_id] if conversation.customer_id else None
    by_id = {conversation.pk: conversation for conversation in found}
    for turn in turns:
        turn.conversation = by_id[turn.conversation_id]
    return turns


@transaction.atomic
def charge_lost_call(turn: Turn, *, attempt: int) -> None:
    """The call that died with this attempt's runner cost something: what it had reserved is charged, as an estimate.

    Its step takes the next index, so the turn goes on after it. When the runner lives after all and its call comes
    late, the estimate gives way (turns.checkpoint).
    """
    if turn.reservation is None:
        return
    spend = Spend(cost_usd=Decimal(turn.reservation["usd"]), estimated=True)
    if not settle_reservation(turn, spend.cost_usd):
        return  # the call came late, but before us
    died = StepRecord(free_index(turn), StepKind.ERROR, status="failed", error=DIED, spend=spend)
    insert_steps(turn, [died], attempt=attempt)
    if turn.finished_at is None:
        turn.checkpoint = {**(turn.checkpoint or asdict(TurnState())), "next_index": died.index + 1}
    turn.cost_usd += spend.cost_usd
    Turn.objects.filter(pk=turn.pk).update(
        checkpoint=turn.checkpoint,
        cost_usd=F("cost_usd") + spend.cost_usd,
        cost_estimated=True,
        step_count=F("step_count") + 1,
    )


def is_stuck(turn: Turn) -> bool:
    """Whether the last attempts took a turn no further: the turn itself may be what kills its runners."""
    taken = turn.steps.exclude(kind=StepKind.ERROR.value).filter(attempt__gte=turn.attempt - MAX_ATTEMPTS)
    return not taken.exists()


def renew(owner: str, turn_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Extend the leases of what this runner still runs: {turn id: why it must stop, or ''}; absent is lost."""
    mine = Turn.objects.filter(pk__in=turn_ids, owner=owner, state=Turn.State.RUNNING)
    mine.update(lease_until=timezone.now() + LEASE)
    return dict(mine.values_list("pk", "stop_requested"))


def release(owner: str, turn_id: UUID | None = None) -> int:
    """Hand back one turn or all: the next runner finds it without an owner and goes on from the last step."""
    mine = Turn.objects.filter(owner=owner, state=Turn.State.RUNNING)
    if turn_id is not None:
        mine = mine.filter(pk=turn_id)
    with transaction.atomic():
        released = mine.update(owner="", lease_until=timezone.now())
        if released:
            signals.wake()
    return released
