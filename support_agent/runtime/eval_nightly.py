"""The evaluation of every night, with what speaks now; and what got worse since the night before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from support_agent.env import env
from support_agent.models import EvalResult, EvalRun, RunState
from support_agent.runtime.eval_gate import DEMO, MODELS
from support_agent.runtime.eval_rows import LIVE, one_at_a_time
from support_agent.runtime.eval_runs import run_enqueue

NIGHTLY = EvalRun.Kind.NIGHTLY
FRESH = timedelta(days=3)  # an older night tells nothing of now
NAMED = 5


@dataclass(frozen=True, slots=True)
class Night:
    """How the newest night of a model went: the cases that failed, and those of them that had passed before. One that
    `is_stale` tells nothing of now, but that there should have been others since."""

    run: EvalRun
    failed: tuple[str, ...] = ()
    fallen: tuple[str, ...] = ()
    risen: tuple[str, ...] = ()
    is_stale: bool = False

    @property
    def is_bad(self) -> bool:
        """It is long ago, could not be run, is below its thresholds, or more cases got worse than better."""
        is_without = self.is_stale or self.run.state == RunState.FAILED
        return is_without or not self.run.is_passed or len(self.fallen) > len(self.risen)

    @property
    def text(self) -> str:
        """What is wrong, in a sentence or two."""
        who = "the demo model" if self.run.model == DEMO else "the configured models"
        if self.is_stale:
            last = f"{self.run.created_at:%Y-%m-%d}"
            return f"No nightly evaluation with {who} has come to an end since {last}: nobody would notice a change."
        if self.run.state == RunState.FAILED:
            return f"The nightly evaluation with {who} could not be run: {self.run.error}"
        summary = self.run.summary
        judged = summary.get("passed", 0) + summary.get("failed", 0)
        text = f"In the nightly evaluation with {who}, {len(self.failed)} of {judged} cases failed"
        if self.fallen:
            text += f"; {_named(self.fallen)} passed the night before"
        elif self.failed:
            text += f": {_named(self.failed)}"
        if left := summary.get("over_budget"):
            text += f"; {left} were not run for want of budget"
        return f"{text}."


def nightly_start(now: datetime | None = None) -> list[EvalRun]:
    """Tonight's runs, once: the demo model, and the configured models where there is a key and a budget for them."""
    today = (now or timezone.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    made = []
    for model in models_at_night():
        with transaction.atomic():
            one_at_a_time()
            mine = EvalRun.objects.filter(kind=NIGHTLY, model=model)
            if mine.filter(created_at__gte=today).exists() or mine.filter(state__in=LIVE).exists():
                continue
            budget = None if model == DEMO else env.evals_nightly_usd
            made.append(run_enqueue(kind=NIGHTLY, model=model, budget_usd=budget))
    return made


def models_at_night() -> list[str]:
    """The demo model, and the configured models where there is a key and a budget for them."""
    return [DEMO, MODELS] if env.evals_nightly_usd > 0 and not env.demo_model else [DEMO]


def nights(now: datetime) -> Iterator[Night]:
    """The newest night of each model: of the last days, or stale where there should be one of them. Two queries and
    one for each."""
    ended = list(_ended().filter(created_at__gte=now - 2 * FRESH))
    for model in (DEMO, MODELS):
        mine = [run for run in ended if run.model == model]
        if mine and mine[0].created_at >= now - FRESH:
            yield _night(mine)
        elif model in models_at_night():
            newest = mine[0] if mine else _ended().filter(model=model).first()
            if newest:
                yield Night(newest, is_stale=True)


def _ended() -> QuerySet[EvalRun]:
    return EvalRun.objects.filter(kind=NIGHTLY).exclude(state__in=LIVE).order_by("-created_at")


def _night(runs: Sequence[EvalRun]) -> Night:
    """The first of these runs against the next one that came to its end."""
    newest = runs[0]
    before = next((run for run in runs[1:] if run.state == RunState.DONE), None)
    judged = EvalResult.objects.filter(run__in=[run.pk for run in (newest, before) if run]).order_by("suite", "case")
    rows = list(judged.exclude(status=EvalResult.Status.SKIPPED).values_list("run_id", "case", "status"))
    then = {case: status for run_id, case, status in rows if before and run_id == before.pk}
    now = {case: status for run_id, case, status in rows if run_id == newest.pk}
    failed, passed = EvalResult.Status.FAILED, EvalResult.Status.PASSED
    return Night(
        newest,
        failed=tuple(case for case, status in now.items() if status == failed),
        fallen=tuple(case for case, status in now.items() if status == failed and then.get(case) == passed),
        risen=tuple(case for case, status in now.items() if status == passed and then.get(case) == failed),
    )


def _named(cases: Sequence[str]) -> str:
    more = f" and {len(cases) - NAMED} more" if len(cases) > NAMED else ""
    return f"{', '.join(cases[:NAMED])}{more}"
