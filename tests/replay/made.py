"""An ended turn as rows: what was said, looked up and answered, without a model."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.utils import timezone

from support_agent.models import Step, ToolCall, Turn
from tickets.models import Conversation, Customer
from tickets.services.conversations import conversation_create
from tickets.services.messages import message_assistant, message_post

SAID = "I would like to see everything about order AP-100001, please"
ANSWERED = "Order AP-100001 over 180.00 USD has been delivered."
PLAN: dict[str, Any] = {
    "goal": "Know.", "topic": "order status", "subject": "orders", "in_scope": True, "complexity": "medium",
    "confidence": 0.9, "steps": [], "is_complete": False,
}  # fmt: skip
LOOKED_UP = {"status": "success", "order": {"order_number": "AP-100001", "status": "delivered", "total": "180.00"}}


def ended_turn(
    customer: Customer | None, said: str = SAID, answered: str = ANSWERED, *, conversation: Conversation | None = None
) -> Turn:
    """Plan, call, look-up, answer, verdict."""
    conversation = (
        conversation
        or conversation_create(channel="chat", customer=customer, identity="session" if customer else "")[0]
    )
    turn = Turn.objects.create(
        conversation=conversation, surface="signed_in", state="answered", path="planned", topic="order status",
        started_at=timezone.now(), finished_at=timezone.now(), prompt_version="assistant-db1-0123abcd",
    )  # fmt: skip
    message_post(conversation=conversation, client_message_id=uuid4(), text=said, turn_id=turn.pk)
    message_assistant(conversation=conversation, text=answered, turn_id=turn.pk)
    use = {"type": "tool_use", "id": "toolu_1", "name": "lookup_order", "input": {"order_number": "AP-100001"}}
    steps: list[tuple[str, dict[str, Any]]] = [
        ("plan", {"model": "claude-haiku-5-5", "output": PLAN}),
        ("model_call", {"model": "claude-sonnet-5-5", "output": {"stop_reason": "tool_use", "content": [use]}}),
        ("tool_call", {"tool": "lookup_order", "input": use["input"], "output": LOOKED_UP, "status": "success"}),
        ("model_call", {"model": "claude-sonnet-5-5", "output": {"content": [{"type": "text", "text": answered}]}}),
        ("critic", {"output": {"accepted": True}}),
    ]
    for index, (kind, fields) in enumerate(steps):
        Step.objects.create(turn=turn, index=index, kind=kind, duration_ms=10, **fields)
    ToolCall.objects.create(
        turn=turn, conversation=conversation, tool="lookup_order", tool_use_id="toolu_1", arguments=use["input"],
        idempotency_key=str(uuid4()), status="success", result=LOOKED_UP,
    )  # fmt: skip
    return turn
