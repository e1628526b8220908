"""A turn that dies where one wants it to: at each of its effects, found by running it once to its end.

An effect is what others can see: a transaction, a frame to the customer, a request to the model's API. Dying is being
stopped there for good: whatever the attempt still tries, in its handlers too, comes to nothing.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import pytest

from support_agent.llm.client import ModelClient
from support_agent.models import Turn
from support_agent.runtime.attempt import Attempt
from support_agent.runtime.claims import claim
from tickets import db, publishing
from tickets.db import in_db

Json = dict[str, Any]
READS = {
    "_read",
    "is_stuck",
    "may_call",
    "note",
}  # nobody sees them, so dying there is dying before


class Killed(BaseException):
    """Not an Exception: nothing that mends things may catch it."""


@dataclass
class Life:
    """One attempt's effects in order; it ends after the one of that number."""

    dies_after: int | None = None
    effects: list[str] = field(default_factory=list)
    is_dead: bool = False

    def check(self) -> None:
        if self.is_dead:
            raise Killed

    def effect(self, name: str) -> None:
        """It has happened; whoever waited for it may never learn that."""
        self.check()
        self.effects.append(name)
        if len(self.effects) - 1 == self.dies_after:
            self.is_dead = True
            raise Killed


living: ContextVar[Life | None] = ContextVar("living", default=None)


def effect(name: str) -> None:
    if life := living.get():
        life.effect(name)


class _Database(ThreadPoolExecutor):
    """The threads of tickets.db: one, so that what runs together runs in the same order each time."""

    def submit(self, run: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        life = living.get()
        if life is None:
            return super().submit(run, *args, **kwargs)
        life.check()
        name = inspect.getclosurevars(args[0]).nonlocals["function"].__name__

        def call() -> Any:
            done = run(*args, **kwargs)
            if name not in READS:
                life.effect(name)
            return done

        return super().submit(call)


@dataclass
class View:
    """What a customer's page shows of a growing answer, by the contract's rules for frames."""

    growing: dict[str, str] = field(default_factory=dict)
    doubled: list[dict[str, str]] = field(default_factory=list)  # an older text stood beside a new one

    def apply(self, frame: Json) -> None:
        message_id = frame.get("message_id", "")
        if frame["type"] == "retract":
            self.growing.pop(message_id, None)
        elif frame["type"] == "delta" and frame["offset"] == len(self.growing.get(message_id, "")):
            self.growing[message_id] = self.growing.get(message_id, "") + frame["text"]
            if len(self.growing) > 1:  # noted, not raised: a failing push fails nobody
                self.doubled.append(dict(self.growing))


class _Layer:
    """A channel layer that hands the customer's frames to the view."""

    def __init__(self) -> None:
        self.view = View()

    async def group_send(self, group: str, message: Json) -> None:
        if life := living.get():
            life.check()
        if group.startswith("conversation.") and (frame := message.get("frame")) and frame["type"] != "activity":
            self.view.apply(frame)
            effect(f"{frame['type']} frame")


@contextmanager
def mortality(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], View]]:
    """While it lasts, attempts of `attempt` can die; the callable begins a new view and answers it."""
    layer = _Layer()
    with _Database(max_workers=1) as threads:
        monkeypatch.setattr(db, "_threads", threads)
        monkeypatch.setattr(publishing, "get_channel_layer", lambda: layer)

        def begin() -> View:
            layer.view = View()
            return layer.view

        yield begin


async def attempt(model: ModelClient, owner: str, dies_after: int | None = None) -> Life:
    """Claim the one turn there is, run it, and answer how far it came. Its owner holds no lock: it counts as dead."""
    life = Life(dies_after)
    [turn] = await in_db(claim, owner, 10)

    async def live() -> None:
        living.set(life)
        await Attempt(turn, model).run()

    [done] = await asyncio.gather(asyncio.create_task(live()), return_exceptions=True)
    assert life.is_dead or done is None, done
    return life


async def all_attempts(model: ModelClient, turn: Turn) -> int:
    """Further attempts until the turn has ended; how many."""
    for number in range(1, 10):
        if (await in_db(Turn.objects.get, pk=turn.pk)).finished_at:
            return number - 1
        await attempt(model, f"the {number}. after it")
    raise AssertionError("the turn never ends")
