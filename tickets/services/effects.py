"""Side effects in other systems: who performs a confirmed action there, and the intent that is written before.

Sending it, and finding out what became of a lost answer, is services.effect_sending.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from django.utils import timezone

from tickets import hooks
from tickets.backends import backend
from tickets.backends.port import Outcome
from tickets.models import Action, Effect
from tickets.services import executors
from tickets.services.executors import Receipt

PERFORM, UNDO = Effect.Kind.PERFORM, Effect.Kind.UNDO
TRIED_FOR = timedelta(minutes=15)  # then a person decides


class Performer(Protocol):
    """Does what a customer confirmed in another system. Called with no transaction open; may take seconds.

    Each method raises Refused, NotFound, Unreachable or AnswerLost (tickets.backends.port), which mean what they mean
    there. `key` is the same for every try of one effect.
    """

    def perform(self, action: Action, *, key: str, approved_by: str) -> Receipt: ...

    def undo(self, action: Action, *, key: str) -> None: ...

    def outcome(self, action: Action, *, key: str) -> Outcome: ...


class RemoteRecords:
    """The performer of our own tools when a remote backend keeps the records."""

    def perform(self, action: Action, *, key: str, approved_by: str) -> Receipt:
        """Raises ApprovalNeeded too, before anything is sent: policy is asked once more, on fresh facts."""
        executors.check(action, approved=bool(approved_by))
        return executors.execute(action, key=key, approved_by=approved_by)

    def undo(self, action: Action, *, key: str) -> None:
        executors.undo(action, key=key)

    def outcome(self, action: Action, *, key: str) -> Outcome:
        return backend().outcome(key)


def _of_records(tool: str) -> Performer | None:
    return RemoteRecords() if executors.is_deed(tool) and backend().is_remote else None


# Asked in order with a tool's name; the first that is not None performs it. Without any, executors do, here.
performers: list[Callable[[str], Performer | None]] = [_of_records]


def performer_of(tool: str) -> Performer | None:
    return next((found for find in performers if (found := find(tool)) is not None), None)


def key_of(action: Action, kind: Effect.Kind) -> str:
    return f"action:{action.pk}:{kind.value}"


def intend(action: Action, *, kind: Effect.Kind = PERFORM, approved_by: str = "") -> Effect:
    """Write down what is to be done, and have it sent after the caller's transaction."""
    now = timezone.now()
    effect = Effect.objects.create(
        action=action,
        kind=kind,
        key=key_of(action, kind),
        approved_by=approved_by,
        next_at=now,
        deadline_at=now + TRIED_FOR,
    )
    send_soon(effect)
    return effect


def send_soon(effect: Effect) -> None:
    """Have the worker look at it, after the caller's transaction."""
    for hook in hooks.on_effect_due:
        hook(effect)


def is_being_undone(action: Action) -> bool:
    return action.effects.filter(kind=UNDO, settled_at=None).exists()
