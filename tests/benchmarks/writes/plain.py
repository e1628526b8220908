"""The same turn as one writes it first: a model's `save()` for every row and every change of state, through
`database_sync_to_async`, in a transaction wherever the product's promises have one.

What is not the ORM's is shared with the product: markdown, redaction, limits in Redis, search, the tool itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from channels.db import database_sync_to_async
from django.db import transaction
from django.utils import timezone

from support_agent.agent.toolkit import ToolContext
from support_agent.agent.types import StepKind, StepRecord
from support_agent.models import Step, ToolCall, Turn
from support_agent.models.limits import Spend
from support_agent.runtime import signals, tool_breakers
from support_agent.runtime.catalogue import catalogue
from support_agent.runtime.commitments import promise_said
from support_agent.runtime.modes import surface_of
from support_agent.runtime.ratelimit import allow
from tests.benchmarks.words import ANSWER
from tests.benchmarks.writes.ours import OWNER, Seen
from tests.benchmarks.writes.plain_reads import read_all
from tickets.ids import new_id
from tickets.markdown import render
from tickets.models import Conversation, Event, Message
from tickets.redaction import without_secrets
from tickets.services.resolutions import resolution_revoke

WORST = Decimal("0.05")
LEASE = timedelta(seconds=30)


async def turn(conversation_id: UUID, text: str, seen: Seen) -> Turn:
    """One whole turn, of the steps that the product's own had."""
    await database_sync_to_async(submit)(conversation_id, text)
    claimed = await database_sync_to_async(claim)()
    await database_sync_to_async(read_all)(claimed, text)
    for records, state in seen.checkpoints:
        if any(record.kind == StepKind.MODEL_CALL for record in records):
            await database_sync_to_async(reserve)(claimed)
        for record in records:
            if record.kind == StepKind.TOOL_CALL:
                await database_sync_to_async(call_tool)(claimed, record)
        await database_sync_to_async(checkpoint)(claimed, records, state)
    await database_sync_to_async(begin_message)(claimed)
    await database_sync_to_async(finish)(claimed)
    return claimed


def submit(conversation_id: UUID, text: str) -> None:
    allow("message", str(conversation_id))
    client_message_id = uuid4()
    with transaction.atomic():
        conversation = Conversation.objects.select_for_update(of=("self",)).get(pk=conversation_id)
        if Message.objects.filter(conversation=conversation, client_message_id=client_message_id).exists():
            return
        turn = Turn.objects.filter(conversation=conversation, state=Turn.State.QUEUED).first()
        if turn is None:
            turn = Turn.objects.create(conversation=conversation, surface=surface_of(conversation))
            signals.wake()
        _say(conversation, Message.Role.CUSTOMER, without_secrets(text), turn, client_message_id=client_message_id)
        resolution_revoke(conversation=conversation)


def claim() -> Turn:
    with transaction.atomic():
        turn = (
            Turn.objects.select_for_update(skip_locked=True)
            .filter(state=Turn.State.QUEUED)
            .order_by("created_at")
            .first()
        )
        assert turn is not None, "just queued"
        turn.state, turn.owner, turn.attempt = Turn.State.RUNNING, OWNER, turn.attempt + 1
        turn.started_at, turn.lease_until = timezone.now(), timezone.now() + LEASE
        turn.save()
    return turn


def reserve(turn: Turn) -> None:
    """The worst case of one call at every total, each by a row of its own, and on the turn's row."""
    with transaction.atomic():
        turn.reservation = {"usd": str(WORST), "rows": totals(turn)}
        turn.save()
        for scope, key, period in totals(turn):
            Spend.objects.get_or_create(scope=scope, key=key, period=period)
            row = Spend.objects.select_for_update().get(scope=scope, key=key, period=period)
            row.reserved_usd += WORST
            row.save()


def checkpoint(turn: Turn, records: Sequence[StepRecord], state: dict[str, Any]) -> None:
    """Steps one by one, each with the turn as it is then; a call's cost with them, so that it is charged once."""
    with transaction.atomic():
        Turn.objects.select_for_update().get(pk=turn.pk, attempt=turn.attempt, state=Turn.State.RUNNING)
        for record in records:
            usage = record.spend.usage
            Step.objects.create(
                turn=turn,
                attempt=turn.attempt,
                index=record.index,
                kind=record.kind.value,
                model=record.model,
                tool=record.tool,
                input=record.input,
                output=record.output,
                status=record.status,
                error=record.error,
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                cache_read_tokens=usage.cache_read_tokens,
                cache_write_tokens=usage.cache_write_tokens,
                cost_usd=record.spend.cost_usd,
                duration_ms=record.duration_ms,
                ttft_ms=record.ttft_ms,
            )
            turn.step_count += 1
            turn.input_tokens += usage.input_tokens
            turn.output_tokens += usage.output_tokens
            turn.cache_read_tokens += usage.cache_read_tokens
            turn.cache_write_tokens += usage.cache_write_tokens
            turn.cost_usd += record.spend.cost_usd
            turn.checkpoint, turn.path, turn.tools_offered = state, state["path"], state["tools"]
            turn.save()
            if record.kind == StepKind.MODEL_CALL:
                _settle(turn, record.spend.cost_usd)


def call_tool(turn: Turn, record: StepRecord) -> None:
    """The tool in a transaction with its row; the key keeps a second call from acting."""
    tool = catalogue()[record.tool]
    assert tool_breakers.may_call(tool.name)
    arguments = tool.arguments.model_validate(record.input.get("arguments", record.input))
    with transaction.atomic():
        key = f"{turn.pk}:{record.index}"
        if ToolCall.objects.filter(idempotency_key=key).exists():
            return
        conversation = Conversation.objects.get(pk=turn.conversation_id)
        context = ToolContext(
            conversation_id=conversation.pk,
            turn_id=turn.pk,
            customer_id=conversation.customer_id,
            locale=conversation.locale,
            idempotency_key=key,
        )
        result = tool.run(context, arguments)
        assert not hasattr(result, "__await__"), "a tool of another system"
        ToolCall.objects.create(
            turn=turn,
            conversation=conversation,
            tool=tool.name,
            tool_use_id=key[-40:],
            arguments=arguments.model_dump(mode="json"),
            idempotency_key=key,
            status=record.status,
            result=result.as_json(),
            duration_ms=record.duration_ms,
        )
    tool_breakers.note(tool.name, failed=False)


def begin_message(turn: Turn) -> None:
    turn.message_id, turn.first_text_at = new_id(), timezone.now()
    turn.save()


def finish(turn: Turn) -> None:
    with transaction.atomic():
        conversation = Conversation.objects.select_for_update(of=("self",)).get(pk=turn.conversation_id)
        Turn.objects.select_for_update().get(pk=turn.pk, attempt=turn.attempt, state=Turn.State.RUNNING)
        turn.state, turn.finished_at, turn.checkpoint = Turn.State.ANSWERED, timezone.now(), None
        turn.lease_until = None
        turn.save()
        _say(conversation, Message.Role.ASSISTANT, ANSWER, turn, id=turn.message_id, author="Assistant")
        promise_said(conversation=conversation, text=ANSWER, now=timezone.now())
        conversation.last_seq += 1
        conversation.save()
        Event.objects.create(
            conversation=conversation,
            seq=conversation.last_seq,
            type="turn",
            payload={"turn_id": str(turn.pk), "state": turn.state},
        )
        signals.wake()


def totals(turn: Turn) -> list[list[str]]:
    """(scope, key, period) of what a paying customer's turn counts towards."""
    now, conversation = datetime.now(UTC), turn.conversation
    today = now.date().isoformat()
    return [
        ["conversation", str(conversation.pk), ""],
        ["customer", str(conversation.customer_id), today],
        ["system", "all", now.strftime("%Y%m%d%H")],
    ]


def _settle(turn: Turn, cost: Decimal) -> None:
    assert turn.reservation is not None
    for scope, key, period in turn.reservation["rows"]:
        row = Spend.objects.select_for_update().get(scope=scope, key=key, period=period)
        row.spent_usd += cost
        row.reserved_usd -= WORST
        row.save()
    turn.reservation = None
    turn.save()


def _say(conversation: Conversation, role: Message.Role, text: str, turn: Turn, **fields: Any) -> None:
    """A message with its event; the conversation's row carries the seq and the time."""
    conversation.last_seq += 1
    conversation.last_message_at = timezone.now()
    conversation.save()
    message = Message.objects.create(
        conversation=conversation,
        role=role,
        text=text,
        html=render(text),
        seq=conversation.last_seq,
        turn_id=turn.pk,
        **fields,
    )
    Event.objects.create(conversation=conversation, seq=conversation.last_seq, type="message", message=message)
