"""From any record's id to where its trace shows it."""

from __future__ import annotations

from uuid import UUID

from support_agent.models import Step, Task, ToolCall, Turn
from tickets.models import Action, Conversation, Escalation, Message


def place_of(key: UUID) -> str | None:
    """The address of what has this id, with its anchor; None when nothing has it."""
    if Conversation.objects.filter(pk=key).exists():
        return _page(key)
    for find in (_turn, _step, _call, _message, _action, _escalation, _task):
        if place := find(key):
            return place
    return None


def _turn(key: UUID) -> str | None:
    turn = Turn.objects.filter(pk=key).values("conversation").first()
    return _page(turn["conversation"], key, f"turn-{key}") if turn else None


def _step(key: UUID) -> str | None:
    step = Step.objects.filter(pk=key).values("turn", "turn__conversation").first()
    return _page(step["turn__conversation"], step["turn"], f"step-{key}") if step else None


def _call(key: UUID) -> str | None:
    call = ToolCall.objects.filter(pk=key).values("turn", "conversation").first()
    return _page(call["conversation"], call["turn"], f"call-{key}") if call else None


def _message(key: UUID) -> str | None:
    said = Message.objects.filter(pk=key).values("conversation", "turn_id", "seq").first()
    return _page(said["conversation"], said["turn_id"], f"event-{said['seq']}") if said else None


def _action(key: UUID) -> str | None:
    action = Action.objects.filter(pk=key).values("conversation").first()
    return _page(action["conversation"], None, f"action-{key}") if action else None


def _escalation(key: UUID) -> str | None:
    escalation = Escalation.objects.filter(pk=key).values("conversation").first()
    return _page(escalation["conversation"], None, f"escalation-{key}") if escalation else None


def _task(key: UUID) -> str | None:
    """The trace of its own turn; a task that has none yet, the conversation it is about."""
    task = Task.objects.filter(pk=key).values("turn", "turn__conversation", "about").first()
    if not task:
        return None
    if task["turn"]:
        return _page(task["turn__conversation"], task["turn"], f"turn-{task['turn']}")
    return _page(task["about"], None, f"task-{key}") if task["about"] else None


def _page(conversation: UUID, turn: UUID | None = None, anchor: str = "") -> str:
    page = f"/admin/traces/{conversation}/" + (f"?turn={turn}" if turn else "")
    return page + (f"#{anchor}" if anchor else "")
