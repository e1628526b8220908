"""What a run of evaluation cases writes, while it runs: its row, a row for each case, and its end.

`using` is the database: a run stands in a throw-away one as the default, and writes into the real one beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Max
from django.utils import timezone

from support_agent.models import EvalResult, EvalRun, RunState
from support_agent.runtime.budgets import spend_beside

LIVE = (RunState.QUEUED, RunState.RUNNING)
SILENT = timedelta(minutes=10)  # beside what its slowest case may take
PER_RUN = timedelta(minutes=2)  # of a case; evals/run.py ends it then
UNBEGUN = timedelta(days=1)
LOCK = 0xE7A1C4EC


def one_at_a_time() -> None:
    """Until this transaction ends nobody else looks whether there is such a run already."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def run_claim(run_id: UUID, *, using: str = "default") -> EvalRun | None:
    """Take a queued run; None when there is none of this id that waits."""
    mine = EvalRun.objects.using(using).filter(pk=run_id, state=RunState.QUEUED)
    if not mine.update(state=RunState.RUNNING, started_at=timezone.now()):
        return None
    return EvalRun.objects.using(using).select_related("prompt").get(pk=run_id)


def run_started(run_id: UUID, *, total: int, prompts: Mapping[str, int | None], code: str, using: str) -> None:
    """How many cases it has, which prompt versions speak (None: the file), and the code that runs."""
    mine = EvalRun.objects.using(using).filter(pk=run_id, state=RunState.RUNNING)
    mine.update(total=total, prompts=dict(prompts), code=code)


def run_recorded(run_id: UUID, result: EvalResult, *, paid_usd: Decimal, using: str) -> None:
    """One case has ended; `result` is not saved yet. What was paid for it counts towards the system's hour, too: the
    demo model's prices are paid by nobody."""
    result.run_id = run_id
    with transaction.atomic(using=using):
        result.save(using=using, force_insert=True)
        EvalRun.objects.using(using).filter(pk=run_id).update(cost_usd=F("cost_usd") + result.cost_usd)
        if paid_usd:
            spend_beside(paid_usd, using=using)


def run_ended(run_id: UUID, *, summary: Mapping[str, Any], is_passed: bool, cost_usd: Decimal, using: str) -> None:
    """It came to its end: its summary, and whether it reached its thresholds."""
    EvalRun.objects.using(using).filter(pk=run_id, state=RunState.RUNNING).update(
        state=RunState.DONE,
        summary=dict(summary),
        is_passed=is_passed,
        cost_usd=cost_usd,
        finished_at=timezone.now(),
    )


def run_failed(run_id: UUID, error: str, *, states: tuple[RunState, ...] = LIVE, using: str = "default") -> bool:
    """It could not be run to its end, and why in a line; False when it is in none of these states."""
    mine = EvalRun.objects.using(using).filter(pk=run_id, state__in=states)
    line = error.strip().splitlines()[-1][:300] if error.strip() else "It ended without a word."
    return bool(mine.update(state=RunState.FAILED, error=line, finished_at=timezone.now()))


def runs_repair() -> int:
    """What died with its process has failed, and what nobody began within a day; how many."""
    now, found = timezone.now(), 0
    running = EvalRun.objects.filter(state=RunState.RUNNING).annotate(last=Max("results__created_at"))
    for run in running:
        seen = max(moment for moment in (run.created_at, run.started_at, run.last) if moment)
        if seen < now - SILENT - PER_RUN * run.repeat:
            found += run_failed(run.pk, "Its process died.", states=(RunState.RUNNING,))
    for pk in EvalRun.objects.filter(state=RunState.QUEUED, created_at__lt=now - UNBEGUN).values_list("pk", flat=True):
        found += run_failed(pk, "No worker began it within a day.", states=(RunState.QUEUED,))
    return found
