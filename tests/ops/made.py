"""Turns, steps, calls and escalations for the operations page, made row by row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.test import Client
from django.utils import timezone

from support_agent.models import Step, ToolCall, Turn
from tests.cast import Cast
from tickets.models import Conversation, Customer, Escalation, Team
from tickets.services.conversations import conversation_create

PAGE = "/admin/ops/"
CONTROLS = f"{PAGE}controls/"
HOUR = timedelta(hours=1)


def talk(customer: Customer | None = None) -> Conversation:
    return conversation_create(channel="chat", customer=customer, identity="session" if customer else "")[0]


def turn(conversation: Conversation, ago: timedelta = HOUR / 2, **values: Any) -> Turn:
    defaults = {"surface": "signed_in", "state": "answered", "path": "fast"}
    return Turn.objects.create(conversation=conversation, created_at=timezone.now() - ago, **defaults | values)


def step(of: Turn, kind: str = "model_call", **values: Any) -> Step:
    index = of.steps.count()
    return Step.objects.create(turn=of, index=index, kind=kind, created_at=of.created_at, **values)


def call(of: Turn, tool: str, status: str = "success", duration_ms: int = 10) -> ToolCall:
    """A tool call with its step, as the runner writes them."""
    step(of, "tool_call", tool=tool, status=status, duration_ms=duration_ms)
    return ToolCall.objects.create(
        turn=of, conversation=of.conversation, tool=tool, tool_use_id="x", arguments={}, status=status,
        idempotency_key=str(uuid4()), duration_ms=duration_ms, created_at=of.created_at,
    )  # fmt: skip


def escalate(conversation: Conversation, reason: str, ago: timedelta = HOUR / 2) -> None:
    moment = timezone.now() - ago
    Escalation.objects.create(
        conversation=conversation, reason=reason, summary="s", team=Team.objects.all()[0], due_at=moment,
        created_at=moment, status="closed",
    )  # fmt: skip


def verdict(of: Turn, words: int | None, status: str = "ok") -> None:
    step(of, "critic", status=status, output={"accepted": True, "words": words} if words is not None else {})


def signed_in(client: Client, cast: Cast, role: str = "ops") -> Client:
    client.force_login(getattr(cast, role))
    return client


def page(client: Client, query: str = "") -> str:
    answer = client.get(PAGE + query)
    assert answer.status_code == 200
    return str(answer.content.decode())
