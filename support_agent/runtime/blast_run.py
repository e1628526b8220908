"""Running a blast radius: its turns are drawn, taken again a few at a time, and judged; within a purse and a time."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from decimal import Decimal
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from support_agent.agent.types import ModelPort, Surface
from support_agent.models import BlastRadius, Replay, RunState
from support_agent.runtime.blast_judge import verdict_on
from support_agent.runtime.blast_touch import touched_by
from support_agent.runtime.blast_verdict import OTHERWISE
from support_agent.runtime.controls import controls
from support_agent.runtime.eval_rows import LIVE
from support_agent.runtime.replay import client_for, run_replay
from support_agent.runtime.replay_ports import Purse
from tickets.db import in_db

log = structlog.get_logger(__name__)
AT_ONCE = 4
MOST_S = 80.0  # a replay of a radius; two of them and a slice fit into a job's 300
LIMITS = {
    "radius": "What a radius may cost is spent",
    "system": "The system's hour is spent",
    "surface": "The day of background work is spent",
}


async def run_some(radius_id: UUID, model: ModelPort | None = None, *, most_s: float | None = None) -> bool:
    """Begin replays for `most_s` seconds, or all; whether some are left to begin. Faults end the radius as failed."""
    until = None if most_s is None else time.monotonic() + most_s
    try:
        waiting = deque(await in_db(_begin, radius_id))
        purse = Purse(await in_db(_money_left, radius_id))
        client = None if model else client_for("")
        try:
            speaker = model or client
            assert speaker is not None
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(_work(radius_id, waiting, speaker, purse, until))
        finally:
            if client is not None:
                await client.aclose()
    except Exception as caught:
        log.exception("blast_failed", radius_id=str(radius_id))
        problem = caught.exceptions[0] if isinstance(caught, ExceptionGroup) else caught
        await in_db(end, radius_id, f"{type(problem).__name__}: {problem}")
        return False
    return await in_db(_settle, radius_id, purse.reached)


@transaction.atomic
def end(radius_id: UUID, error: str = "") -> None:
    """Done, or failed with a sentence; what has not begun goes. Nothing happens to one that has ended."""
    state = RunState.FAILED if error else RunState.DONE
    live = BlastRadius.objects.filter(pk=radius_id, state__in=LIVE)
    if live.update(state=state, error=error.splitlines()[0][:300] if error else "", finished_at=timezone.now()):
        Replay.objects.filter(radius=radius_id, state=Replay.State.QUEUED).delete()


def _begin(radius_id: UUID) -> list[UUID]:
    """The replays that wait, oldest first; the first time they are made."""
    radius = BlastRadius.objects.select_related("article", "prompt").get(pk=radius_id)
    if radius.state not in LIVE:
        return []
    if radius.state == RunState.QUEUED:
        _draw(radius)
    waiting = Replay.objects.filter(radius=radius_id, state=Replay.State.QUEUED)
    return list(waiting.order_by("created_at", "pk").values_list("pk", flat=True))


def _draw(radius: BlastRadius) -> None:
    touched = touched_by(radius)
    with transaction.atomic():
        mine = BlastRadius.objects.filter(pk=radius.pk, state=RunState.QUEUED)
        if not mine.update(state=RunState.RUNNING, touched=touched.total, started_at=timezone.now()):
            return
        Replay.objects.bulk_create(
            Replay(turn_id=turn, radius=radius, asked_by_id=radius.asked_by_id, prompt_version=_prompt(radius))
            for turn in touched.drawn
        )


def _prompt(radius: BlastRadius, *, is_baseline: bool = False) -> str:
    """Which prompt a replay speaks with; '' as it spoke then."""
    version = radius.prompt
    if version is None:
        return ""
    return f"{version.name}:{'active' if is_baseline else version.number}"


def _money_left(radius_id: UUID) -> Decimal:
    """All replays of a radius together may cost what one background task may."""
    spent = Replay.objects.filter(radius=radius_id).aggregate(spent=Sum("cost_usd"))["spent"] or Decimal(0)
    return Decimal(controls().limits[Surface.BACKGROUND].turn) - spent


async def _work(
    radius_id: UUID, waiting: deque[UUID], model: ModelPort, purse: Purse, until: float | None
) -> None:  # fmt: skip
    """One replay after the other, while there is anything of what it takes."""
    while waiting and not purse.reached and (until is None or time.monotonic() < until):
        replay_id = waiting.popleft()
        if await in_db(_may_run, radius_id, replay_id):
            await _take(replay_id, model, purse)


async def _take(replay_id: UUID, model: ModelPort, purse: Purse) -> None:
    """Run it and judge it; one that comes out otherwise is run once more without the change."""
    replay = await run_replay(replay_id, model, purse=purse, most_s=MOST_S)
    if replay.state != Replay.State.DONE:
        return
    if await in_db(_judge, replay) and not (purse.reached or replay.is_baseline):
        again = await in_db(_baseline_of, replay)
        await _take(again.pk, model, purse)


def _may_run(radius_id: UUID, replay_id: UUID) -> bool:
    """Nobody has stopped the radius, and the conversation was not erased meanwhile."""
    if not BlastRadius.objects.filter(pk=radius_id, state__in=LIVE).exists():
        return False
    return Replay.objects.filter(pk=replay_id, state=Replay.State.QUEUED, notes=[]).exists()


def _judge(replay: Replay) -> bool:
    """Write the verdict, a baseline's upon its replay; whether it is otherwise."""
    whole = Replay.objects.select_related("turn", "radius__article", "radius__prompt")
    baseline = replay if replay.is_baseline else None
    judged = whole.get(pk=replay.pk) if baseline is None else whole.get(
        radius=replay.radius_id, turn=replay.turn_id, is_baseline=False
    )  # fmt: skip
    verdict = verdict_on(judged, baseline).verdict
    Replay.objects.filter(pk=judged.pk).update(verdict=verdict)
    return verdict == OTHERWISE


def _baseline_of(replay: Replay) -> Replay:
    assert replay.radius is not None
    return Replay.objects.create(
        turn=replay.turn,
        radius=replay.radius,
        is_baseline=True,
        asked_by=replay.asked_by,
        prompt_version=_prompt(replay.radius, is_baseline=True),
    )


def _settle(radius_id: UUID, reached: str) -> bool:
    """End it when nothing is left to do or to spend; whether replays are left to begin."""
    mine = Replay.objects.filter(radius=radius_id)
    left = mine.filter(state=Replay.State.QUEUED).exists()
    if reached:
        done = mine.filter(is_baseline=False, state=Replay.State.DONE).count()
        end(radius_id, f"{LIMITS.get(reached, 'A budget is spent')}, after {done} turns; see the budgets.")
        return False
    if not (left or mine.filter(state=Replay.State.RUNNING).exists()):
        end(radius_id)
    return left
