"""Which conversation a call belongs to: the one that its caller has named, or the one that the logs name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

import structlog


@dataclass(eq=False)
class Begun:
    """A conversation on a tape, and when it began: replayed, when the recorded one did."""

    name: str
    at: datetime
    known: dict[str, str] = field(default_factory=dict)
    ended: bool = False


class Tape(Protocol):
    """A transport that keeps conversations apart."""

    def begin(self, begun: Begun) -> None: ...


running: ContextVar[Tape | None] = ContextVar("running_tape", default=None)
_current: ContextVar[Begun | None] = ContextVar("taped_conversation", default=None)


@contextmanager
def conversation(name: str, now: datetime | None = None) -> Iterator[Begun]:
    """All calls within belong to one conversation of this name; nothing happens when no tape runs."""
    begun = Begun(name, now or datetime.now(UTC))
    if (tape := running.get()) is not None:
        tape.begin(begun)
    token = _current.set(begun)
    try:
        yield begun
        begun.ended = True
    finally:
        _current.reset(token)


def know(named: Mapping[str, str]) -> None:
    """Name values of the conversation that has begun, before it says anything: name -> value."""
    if (begun := _current.get()) is not None:
        begun.known.update(named)


@contextmanager
def on_tape(tape: Tape) -> Iterator[None]:
    """The tape that conversations begun in here are on."""
    token = running.set(tape)
    try:
        yield
    finally:
        running.reset(token)


def current() -> Begun | str:
    """The named conversation, else the id under which the logs know it, '' for none."""
    return _current.get() or str(structlog.contextvars.get_contextvars().get("conversation_id", ""))
