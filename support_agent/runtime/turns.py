"""A turn's life in the database: claimed, checkpointed, finished, handed back. Every write is fenced on its attempt.

All functions are synchronous and short; the runner calls them by `in_db`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Max, QuerySet
from django.utils import timezone

from support_agent.agent.errors import TurnLost
from support_agent.agent.types import EscalationWish, Outcome, Spend, StepKind, StepRecord, TurnState
from support_agent.agent.words import FAILED
from support_agent.models import Step, Task, Turn
from support_agent.runtime import signals
from support_agent.runtime.budgets import settle_reservation
from tickets.events import event_append
from tickets.ids import new_id
from tickets.models import Conversation
from tickets.services.conversations import lock
from tickets.services.escalations import escalation_open
from tickets.services.messages import message_assistant, message_system

LEASE = timedelta(seconds=30)
MAX_ATTEMPTS = 5
SPEAKING = {Conversation.Status.AI, Conversation.Status.WAITING}

_CLAIM_QUEUED = """
UPDATE support_agent_turn SET state = 'running', owner = %(owner)s, attempt = attempt + 1,
       lease_until = now() + %(lease)s, started_at = coalesce(started_at, now())
WHERE id IN (
  SELECT t.id FROM support_agent_turn t
  WHERE t.state = 'queued' AND NOT EXISTS (
    SELECT 1 FROM support_agent_turn r WHERE r.conversation_id = t.conversation_id AND r.state = 'running')
  ORDER BY t.created_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING id
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
RETURNING id
"""


def claim(owner: str, limit: int) -> list[Turn]:
    """Take up to `limit` turns: those a dead runner left first, then the queue. The caller is their only owner."""
    parameters: dict[str, Any] = {"owner": owner, "lease": LEASE, "limit": limit}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CLAIM_ORPHANS, parameters)
        orphans = [row[0] for row in cursor.fetchall()]
        cursor.execute(_CLAIM_QUEUED, {**parameters, "limit": limit - len(orphans)})
        ids = orphans + [row[0] for row in cursor.fetchall()]
    found = list(Turn.objects.select_related("conversation__customer").filter(pk__in=ids)) if ids else []
    for turn in found:
        if turn.pk in orphans:
            charge_lost_call(turn)
    return found


def charge_lost_call(turn: Turn) -> None:
    """The call that died with its runner cost something: what it had reserved is charged, marked as an estimate."""
    if turn.reservation is None:
        return
    spend = Spend(cost_usd=Decimal(turn.reservation["usd"]), estimated=True)
    died = StepRecord(_free_index(turn), StepKind.ERROR, status="failed", error="the runner died", spend=spend)
    with transaction.atomic():
        settle_reservation(turn, spend.cost_usd)
        _insert(turn, [died], attempt=turn.attempt - 1)
        Turn.objects.filter(pk=turn.pk).update(
            cost_usd=F("cost_usd") + spend.cost_usd, cost_estimated=True, step_count=F("step_count") + 1
        )


def renew(owner: str, turn_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Extend the leases of what this runner still runs: {turn id: why it must stop, or ''}; absent is lost."""
    mine = Turn.objects.filter(pk__in=turn_ids, owner=owner, state=Turn.State.RUNNING)
    mine.update(lease_until=timezone.now() + LEASE)
    return dict(mine.values_list("pk", "stop_requested"))


def begin_message(turn: Turn) -> UUID:
    """A new id for the text about to be shown; kept, so that whoever takes over can withdraw it. Raises TurnLost."""
    message_id = new_id()
    turn.first_text_at = turn.first_text_at or timezone.now()
    if not _ours(turn).update(message_id=message_id, first_text_at=turn.first_text_at):
        raise TurnLost
    turn.message_id = message_id
    return message_id


def checkpoint(turn: Turn, records: Sequence[StepRecord], state: TurnState) -> None:
    """Steps, totals and the engine's state in one transaction. Raises TurnLost, with the steps' cost kept (I6)."""
    spend = sum((record.spend for record in records), start=Spend())
    usage = spend.usage
    totals: dict[str, Any] = {
        "step_count": F("step_count") + len(records),
        "input_tokens": F("input_tokens") + usage.input_tokens,
        "output_tokens": F("output_tokens") + usage.output_tokens,
        "cache_read_tokens": F("cache_read_tokens") + usage.cache_read_tokens,
        "cache_write_tokens": F("cache_write_tokens") + usage.cache_write_tokens,
        "cost_usd": F("cost_usd") + spend.cost_usd,
    }
    if spend.estimated:
        totals["cost_estimated"] = True
    plan = state.plan or {}
    lost = False
    with transaction.atomic():
        held = _ours(turn).update(
            checkpoint=asdict(state), path=state.path, tools_offered=state.tools, topic=plan.get("topic", ""), **totals
        )
        if not held:
            lost = True
            Turn.objects.filter(pk=turn.pk).update(**totals)
        _insert(turn, records)
    if lost:
        raise TurnLost


def finish(turn: Turn, outcome: Outcome, *, shown: str = "") -> None:
    """The final commit: message, escalation, turn state and its event together. Raises TurnLost.

    `shown` is what the customer has seen of a stopped turn, whose outcome has no text of its own.
    """
    text = outcome.text or shown
    with transaction.atomic():
        conversation = lock(turn.conversation_id)
        changed = _ours(turn).update(
            state=outcome.state, finished_at=timezone.now(), checkpoint=None, lease_until=None, error=""
        )
        if not changed or conversation.status not in SPEAKING:
            raise TurnLost
        if text:
            message_assistant(
                conversation=conversation,
                text=text,
                turn_id=turn.pk,
                message_id=turn.message_id,
                sources=outcome.sources,
            )
        if outcome.escalation is not None:
            _escalate(conversation, outcome.escalation)
        _close_turn(turn, conversation, outcome.state, text)


def fail(turn: Turn, error: str) -> None:
    """End visibly: a system message that names the next step, and a person. Raises TurnLost."""
    with transaction.atomic():
        conversation = lock(turn.conversation_id)
        changed = _ours(turn).update(
            state=Turn.State.FAILED,
            finished_at=timezone.now(),
            checkpoint=None,
            lease_until=None,
            error=error[:300],
        )
        if not changed:
            raise TurnLost
        message_system(conversation=conversation, text=FAILED, turn_id=turn.pk)
        _close_turn(turn, conversation, Turn.State.FAILED, "")


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


def _close_turn(turn: Turn, conversation: Conversation, state: str, text: str) -> None:
    event_append(conversation=conversation, type="turn", payload={"turn_id": str(turn.pk), "state": state})
    if conversation.channel == Conversation.Channel.TASK:
        stopped = state == Turn.State.ESCALATED
        ended = {"answered": Task.State.DONE, "escalated": Task.State.STOPPED}.get(state, Task.State.FAILED)
        Task.objects.filter(turn=turn).update(state=ended, result="" if stopped and not text else text)
    elif turn.topic and not conversation.topic:
        Conversation.objects.filter(pk=conversation.pk).update(topic=turn.topic)
    signals.wake()  # what was queued behind this turn may run now


def _escalate(conversation: Conversation, wish: EscalationWish) -> None:
    if conversation.channel != Conversation.Channel.TASK:  # nobody waits for a background task
        escalation_open(conversation=conversation, reason=wish.reason, summary=wish.summary, team=wish.team)


def _ours(turn: Turn) -> QuerySet[Turn]:
    return Turn.objects.filter(pk=turn.pk, attempt=turn.attempt, state=Turn.State.RUNNING)


def _free_index(turn: Turn) -> int:
    highest = Step.objects.filter(turn=turn).aggregate(highest=Max("index"))["highest"]
    return 0 if highest is None else highest + 1


def _insert(turn: Turn, records: Sequence[StepRecord], *, attempt: int | None = None) -> None:
    Step.objects.bulk_create(
        Step(
            turn=turn,
            attempt=turn.attempt if attempt is None else attempt,
            index=record.index,
            kind=record.kind.value,
            model=record.model,
            tool=record.tool[:64],
            input=record.input,
            output=record.output,
            status=record.status,
            error=record.error,
            input_tokens=record.spend.usage.input_tokens,
            output_tokens=record.spend.usage.output_tokens,
            cache_read_tokens=record.spend.usage.cache_read_tokens,
            cache_write_tokens=record.spend.usage.cache_write_tokens,
            cost_usd=record.spend.cost_usd,
            cost_estimated=record.spend.estimated,
            duration_ms=record.duration_ms,
            ttft_ms=record.ttft_ms,
        )
        for record in records
    )
