"""The agent as a background service: a task becomes a turn on the surface *background*, run by the same engine."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from support_agent.agent.config import LIMITS
from support_agent.agent.types import Surface
from support_agent.models import Task, Turn
from support_agent.runtime import signals
from tickets.errors import NotFound
from tickets.ids import new_id
from tickets.models import Conversation, Customer, User
from tickets.queue import enqueue
from tickets.services.conversations import conversation_create
from tickets.services.messages import check_text, message_customer

MAX_TASK = 40_000  # characters; what programs send is held to a message's length, a transcript is longer
MAX_BUDGET_USD = LIMITS[Surface.BACKGROUND].turn


@transaction.atomic
def task_create(
    *, requested_by: User, task: str, complexity: str, budget_usd: Decimal, customer: Customer | None = None
) -> Task:
    """Write the task and enqueue its start. Raises Empty or TooLong."""
    made = Task.objects.create(
        requested_by=requested_by,
        customer=customer,
        task=check_text(task),
        complexity=complexity,
        budget_usd=min(budget_usd, MAX_BUDGET_USD),
    )
    enqueue(start_task, str(made.pk))
    return made


@transaction.atomic
def start_task(task_id: str) -> None:
    """The job: give the task its conversation and turn. Safe to run twice."""
    task = Task.objects.select_for_update(of=("self",)).select_related("customer", "about").filter(pk=task_id).first()
    if task is None or task.turn_id is not None or task.state != Task.State.QUEUED:
        return
    conversation, _ = conversation_create(
        channel=Conversation.Channel.TASK,
        customer=task.customer,
        identity=Conversation.Identity.SESSION if task.customer else "",
        locale=task.about.locale if task.about else "en",
        metadata={"complexity": task.complexity, "purpose": task.purpose},
    )
    turn = Turn.objects.create(conversation=conversation, surface=Surface.BACKGROUND.value, budget_usd=task.budget_usd)
    message_customer(
        conversation=conversation, client_message_id=new_id(), text=task.task, turn_id=turn.pk, limit=MAX_TASK
    )
    task.turn = turn
    task.save(update_fields=["turn"])
    signals.wake()


def task_payload(task_id: UUID, user: User) -> dict[str, Any]:
    """The contract's task object. Raises NotFound for somebody else's as for a missing one."""
    task = Task.objects.select_related("turn").filter(pk=task_id, requested_by=user).first()
    if task is None:
        raise NotFound("There is no such task.")
    turn = task.turn
    state = task.state
    if state == Task.State.QUEUED and turn is not None and turn.state == Turn.State.RUNNING:
        state = Task.State.RUNNING
    payload: dict[str, Any] = {"id": str(task.pk), "state": state}
    if task.result:
        payload["result"] = task.result
    calls = turn.steps.exclude(model="").count() if turn else 0
    payload["usage"] = {
        "calls": calls,
        "input_tokens": turn.input_tokens + turn.cache_read_tokens + turn.cache_write_tokens if turn else 0,
        "output_tokens": turn.output_tokens if turn else 0,
        "cost_usd": _usd(turn.cost_usd if turn else Decimal(0)),
        "budget_usd": _usd(task.budget_usd),
    }
    return payload


def _usd(amount: Decimal) -> str:
    """Exact, with two places at least."""
    short = amount.normalize()
    return f"{short:f}" if short.as_tuple().exponent < -2 else f"{amount:.2f}"  # type: ignore[operator]
