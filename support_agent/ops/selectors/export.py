"""A conversation as the contract's export: events, turns with steps, tool calls, actions, escalations, cost."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from support_agent.models import Step, ToolCall, Turn
from support_agent.runtime.step_json import of_row
from tickets.events import event_payload
from tickets.models import Conversation, Escalation, Event
from tickets.redaction import redact_json
from tickets.services.actions import action_payload

Json = dict[str, Any]
NAME_MARK = "[name]"


def conversation_shared(conversation: Conversation) -> Json:
    """The export as it may leave the house: without personal data."""
    shared: Json = redact_json(conversation_export(conversation))
    if shared["conversation"]["customer"]:
        shared["conversation"]["customer"]["name"] = NAME_MARK
    return shared


def conversation_export(conversation: Conversation) -> Json:
    """The whole conversation in six queries; costs are numbers in USD.

    Action tokens are not in it: they exist only for their owner.
    """
    steps: dict[UUID, list[Step]] = defaultdict(list)
    for step in Step.objects.filter(turn__conversation=conversation).order_by("attempt", "index"):
        steps[step.turn_id].append(step)
    turns = list(Turn.objects.filter(conversation=conversation).order_by("created_at", "pk"))
    events = Event.objects.filter(conversation=conversation).select_related("message").order_by("seq")
    calls = ToolCall.objects.filter(conversation=conversation).order_by("created_at", "pk")
    return {
        "conversation": _conversation(conversation),
        "events": [event_payload(event) for event in events],
        "turns": [_turn(turn, steps[turn.pk]) for turn in turns],
        "tool_calls": [_call(call) for call in calls],
        "actions": [action_payload(action) for action in conversation.actions.order_by("created_at")],
        "escalations": [
            _escalation(one)
            for one in conversation.escalations.select_related("team", "claimed_by").order_by("created_at")
        ],
        "total_cost_usd": float(sum(turn.cost_usd for turn in turns)),
    }


def _conversation(conversation: Conversation) -> Json:
    customer = conversation.customer
    return {
        "id": str(conversation.pk),
        "reference": conversation.reference,
        "status": conversation.status,
        "customer": {"id": str(customer.pk), "name": customer.name, "email": customer.email} if customer else None,
        "identity": conversation.identity,
        "channel": conversation.channel,
        "topic": conversation.topic,
        "created_at": conversation.created_at.isoformat(),
        "closed_at": conversation.closed_at.isoformat() if conversation.closed_at else None,
    }


def _turn(turn: Turn, steps: list[Step]) -> Json:
    return {
        "id": str(turn.pk),
        "state": turn.state,
        "surface": turn.surface,
        "topic": turn.topic,
        "path": turn.path,
        "prompt_version": turn.prompt_version,
        "tools_offered": turn.tools_offered,
        "attempt": turn.attempt,
        "started_at": turn.started_at.isoformat() if turn.started_at else None,
        "duration_ms": duration_ms(turn),
        "input_tokens": turn.input_tokens,
        "output_tokens": turn.output_tokens,
        "cache_read_tokens": turn.cache_read_tokens,
        "cache_write_tokens": turn.cache_write_tokens,
        "cost_usd": float(turn.cost_usd),
        "cost_estimated": turn.cost_estimated,
        "error": turn.error or None,
        "steps": [_step(step) for step in steps],
    }


def duration_ms(turn: Turn) -> int | None:
    """From the claim to the end; None while it has not ended."""
    if turn.started_at is None or turn.finished_at is None:
        return None
    return round((turn.finished_at - turn.started_at).total_seconds() * 1000)


def _step(step: Step) -> Json:
    return {"attempt": step.attempt, "cost_estimated": step.cost_estimated, **of_row(step)}


def _call(call: ToolCall) -> Json:
    return {
        "turn_id": str(call.turn_id),
        "tool": call.tool,
        "tool_use_id": call.tool_use_id,
        "arguments": call.arguments,
        "idempotency_key": call.idempotency_key,
        "status": call.status,
        "result": call.result,
        "action_id": str(call.action_id) if call.action_id else None,
        "duration_ms": call.duration_ms,
    }


def _escalation(escalation: Escalation) -> Json:
    times = {name: getattr(escalation, name) for name in ("created_at", "due_at", "claimed_at", "ended_at")}
    return {
        "id": str(escalation.pk),
        "reason": escalation.reason,
        "summary": escalation.summary,
        "team": escalation.team.slug,
        "status": escalation.status,
        "claimed_by": escalation.claimed_by.get_username() if escalation.claimed_by else None,
        **{name: moment.isoformat() if moment else None for name, moment in times.items()},
    }
