"""How a turn ends from outside: a person took over, the customer closed or asked for a person.

It ends in the same transaction as the deed, before the deed's own event, so that no event of the assistant has a
`seq` above the claim's (I10). The runner learns of it by NOTIFY, and every write it still tries is fenced off.
"""

from __future__ import annotations

from functools import partial

from django.db import transaction
from django.utils import timezone

from support_agent.models import Task, Turn
from support_agent.runtime import signals
from tickets.events import event_append
from tickets.models import Conversation
from tickets.publishing import group_of, publish

LIVE = [Turn.State.QUEUED, Turn.State.RUNNING]
LIVE_TASKS = [Task.State.QUEUED, Task.State.RUNNING]
STOPPED = "Stopped before it was done."


def end_turns(conversation: Conversation, why: str) -> None:
    """End what is queued or runs as escalated; the caller holds the conversation's lock."""
    for turn in Turn.objects.select_for_update().filter(conversation=conversation, state__in=LIVE):
        turn.state, turn.stop_requested, turn.finished_at = Turn.State.ESCALATED, why, timezone.now()
        turn.checkpoint = None
        turn.save(update_fields=["state", "stop_requested", "finished_at", "checkpoint"])
        event_append(conversation=conversation, type="turn", payload={"turn_id": str(turn.pk), "state": turn.state})
        Task.objects.filter(turn=turn, state__in=LIVE_TASKS).update(state=Task.State.STOPPED, result=STOPPED)
        signals.stop(turn.pk, why)
        if turn.message_id:
            frame = {"type": "retract", "message_id": str(turn.message_id)}
            message = {"type": "conversation.frame", "frame": frame}
            transaction.on_commit(partial(publish, [(group_of(conversation.pk), message)]))
