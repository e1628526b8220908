"""One run from its wish to its report: the throw-away database, the prompts that speak, the cases, the record."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone

from support_agent.evals import prompts
from support_agent.evals.cases import Case
from support_agent.evals.progress import Told
from support_agent.evals.purse import Purse
from support_agent.evals.recording import Recorder
from support_agent.evals.run import RULES, Result, model_named, player_named, run_cases
from support_agent.evals.summary import Report
from support_agent.evals.world import NoDatabase, throwaway_database
from support_agent.runtime.code_version import code_version
from support_agent.runtime.controls import forget
from support_agent.runtime.eval_job import PARENT
from support_agent.runtime.eval_runs import DEMO
from tickets.workspace import DEFAULT, Workspace, as_if


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be run, and what it has to reach."""

    cases: Sequence[Case]
    suite: str
    model: str
    repeat: int
    parallel: int
    budget_usd: Decimal | None
    thresholds: Mapping[str, float]
    spoken: prompts.Spoken
    customer: str = RULES  # who plays the simulated customers
    house: Workspace = DEFAULT  # for whom the assistant speaks: evals/house.py


def run(wish: Wish, recorder: Recorder, told: Told) -> Report:
    """Run it to its end and record it. Whatever ends it before is recorded as its failure, and raised."""
    try:
        with ended_like_ctrl_c(), throwaway_database(), as_if(wish.house):
            prompts.put(wish.spoken)
            began, started_at = time.monotonic(), timezone.now()
            shape = _report(wish, [Result(case, "skipped") for case in wish.cases], started_at=started_at)
            recorder.started(shape)
            with told.shown():
                results = asyncio.run(_results(wish, recorder, told))
            report = _report(wish, results, started_at=started_at, seconds=time.monotonic() - began)
            recorder.ended(report)
            return report
    except (KeyboardInterrupt, SystemExit):
        recorder.failed("It was stopped.")
        raise
    except NoDatabase as problem:
        recorder.failed(f"{problem}.")
        raise
    except Exception as problem:
        recorder.failed(f"{type(problem).__name__}: {problem}")
        raise
    finally:
        forget()  # what was read of the throw-away database


async def _results(wish: Wish, recorder: Recorder, told: Told) -> list[Result]:
    async def on_result(result: Result) -> None:
        told.result(result)
        await recorder.case(result)

    watching = asyncio.create_task(_watch_parent())
    try:
        async with model_named(wish.model) as model, player_named(wish.customer) as player:
            return await run_cases(
                wish.cases,
                model,
                is_demo=wish.model == DEMO,
                repeat=wish.repeat,
                parallel=wish.parallel,
                purse=Purse(wish.budget_usd) if wish.budget_usd is not None else None,
                player=player,
                on_result=on_result,
            )
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


def _report(wish: Wish, results: Sequence[Result], **more: Any) -> Report:
    return Report(
        results,
        model=wish.model,
        repeat=wish.repeat,
        suite=wish.suite,
        thresholds=wish.thresholds,
        prompts=prompts.numbers(wish.spoken),
        code=str(code_version()),
        budget_usd=wish.budget_usd,
        **more,
    )


async def _watch_parent() -> None:
    """A worker's run ends with its worker, also with one that is killed."""
    parent = os.environ.get(PARENT, "")
    while parent:
        if str(os.getppid()) != parent:
            signal.raise_signal(signal.SIGINT)
            return
        await asyncio.sleep(1)


@contextmanager
def ended_like_ctrl_c() -> Iterator[None]:
    """SIGTERM ends a run as Ctrl-C does: its database goes with it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    interrupt: Callable[[int, Any], None] = lambda *_: signal.raise_signal(signal.SIGINT)  # noqa: E731
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
