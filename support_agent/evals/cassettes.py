"""Cassettes of evaluation runs: each case is a conversation of its own, replayed at the time of its recording.

with recorded(path, about) as tape, … model_named(name, tape): …       with replayed(path) as tape: …
with taped(case.id) as begun: …                                        # in the runner, around one case
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from django.utils import timezone

from support_agent.env import env
from support_agent.evals import clock
from support_agent.evals.cases import Case
from support_agent.evals.hiding import SHOP, names_of
from support_agent.llm.client import live_transport
from support_agent.llm.recorded import (
    CassetteError,
    Replaying,
    conversation,
    know,
    load,
    recording,
    replaying,
    running,
)
from support_agent.runtime.eval_runs import MODELS
from tickets.models import Customer, Order

TIERS = ("small", "medium", "large")


@contextmanager
def traffic(
    record: Path | None, replay: Path | None, *, about: Mapping[str, Any], only: Collection[str]
) -> Iterator[None]:
    """A run whose traffic goes into a file, or comes from one; neither is a run as ever."""
    if record is not None:
        with recorded(record, about):
            yield
    elif replay is not None:
        with replayed(replay, only):
            yield
    else:
        yield


def about_run(*, model: str, suite: str, repeat: int, path: Path) -> dict[str, Any]:
    """What a run's cassette says of it: enough to run it again, and to record it anew."""
    tiers = {tier: getattr(env, f"agent_model_{tier}") if model == MODELS else model for tier in TIERS}
    words = [suite, "--model", model, *(["--repeat", str(repeat)] if repeat > 1 else []), "--record", str(path)]
    renew = f'make evals ARGS="{" ".join(filter(None, words))}"'
    return {"model": model, "suite": suite, "repeat": repeat, "tiers": tiers, "renew": renew}


@dataclass(frozen=True, slots=True)
class Recorded:
    """The run of a cassette: its model, how often it ran each case, and which."""

    model: str
    repeat: int
    names: frozenset[str]

    def among(self, cases: Sequence[Case], *, wanted: str) -> list[Case]:
        """Those of the cases that were recorded; all of them must be there unless some are `wanted`. Raises
        CassetteError."""
        found = [case for case in cases if case.id in self.names]
        gone = self.names - {case.id for case in found}
        if gone and not wanted:
            raise CassetteError(f"recorded, but no case any more: {', '.join(sorted(gone))}")
        if not found:
            raise CassetteError(f"nothing was recorded of {wanted or 'any case'}")
        return found


def run_of(path: Path) -> Recorded:
    """The run that a cassette holds. Raises CassetteError."""
    cassette = load(path)
    try:
        about = cassette.about
        return Recorded(about["model"], about["repeat"], frozenset(thread.name for thread in cassette.threads))
    except KeyError:
        raise CassetteError(f"{path} was not recorded by run_evals") from None


@contextmanager
def recorded(path: Path, about: Mapping[str, Any]) -> Iterator[httpx2.AsyncBaseTransport]:
    """The real API, listened to. `about` goes into the file: model, suite, repeat, and `renew`, the command for it."""
    with recording(path, live_transport(), hiding=SHOP, about=dict(about)) as tape:
        yield tape


@contextmanager
def replayed(path: Path, only: Collection[str] | None = None) -> Iterator[Replaying]:
    """The file in the API's place, at the time of its recording. Raises CassetteError, and at the end ReplayError for
    whatever differs in the cases of `only` (all, when None)."""
    with clock.movable(), replaying(path, hiding=SHOP, only=only) as tape:
        yield tape


@contextmanager
def taped(name: str) -> Iterator[None]:
    """One case, from before its people and records are made; nothing when no tape runs."""
    with conversation(name, timezone.now()) as begun, clock.moved_to(begun.at):
        yield


def wired(**options: Any) -> dict[str, Any]:
    """A client's options on the tape that runs, if one does; replayed, also with the models of the recording."""
    tape = running.get()
    if isinstance(tape, Replaying):
        options |= {"api_key": "replay", "base_url": "", "sleep": _at_once, **tape.cassette.about.get("tiers", {})}
    return {**options, "transport": tape} if tape else options


async def _at_once(_: float) -> None:
    """No pause: what is replayed has waited once already."""


def know_names(things: Mapping[str, Customer | Order]) -> None:
    """A world's people and records as its case names them: `paid_order`, `paid_order.tracking`, `customer.email`."""
    if running.get() is not None:
        know(names_of(things))
