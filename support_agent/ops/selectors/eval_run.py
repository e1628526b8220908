"""One evaluation run: its figures, what failed first, then everything by suite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from support_agent.models import EvalResult, EvalRun
from support_agent.ops.selectors.eval_figures import RunFigures, run_figures
from support_agent.ops.selectors.evals import before_of, ended_runs

HEAVY = ("said", "written", "failures", "tools")
MOST = 1000  # cases a page lists


@dataclass(frozen=True, slots=True)
class Suite:
    """One theme's cases; `rows` without the heavy columns."""

    name: str
    rows: list[EvalResult]

    @property
    def passed(self) -> int:
        return sum(row.status == EvalResult.Status.PASSED for row in self.rows)

    @property
    def counted(self) -> int:
        """The cases that were not skipped."""
        return sum(row.status != EvalResult.Status.SKIPPED for row in self.rows)

    @property
    def failed(self) -> int:
        return self.counted - self.passed

    @property
    def skipped(self) -> int:
        return len(self.rows) - self.counted

    @property
    def cost_usd(self) -> float:
        return sum(float(row.cost_usd) for row in self.rows)


@dataclass(frozen=True, slots=True)
class RunPage:
    """`failed` has every column, for its details; of the others the thread is fetched when a case is opened."""

    run: EvalRun
    figures: RunFigures
    failed: list[EvalResult]
    suites: list[Suite]
    done: int
    before: EvalRun | None
    others: list[EvalRun]

    @property
    def per_cent(self) -> int:
        return min(100, round(self.done / self.run.total * 100)) if self.run.total else 0

    @property
    def adversarial(self) -> tuple[int, int]:
        """(held, how many) so far, from the results themselves."""
        of = [row for suite in self.suites for row in suite.rows if row.adversarial and row.status != "skipped"]
        return sum(row.status == "passed" for row in of), len(of)

    @property
    def counts(self) -> dict[str, int]:
        """How many passed, failed and were skipped so far, from the results themselves."""
        return {
            "passed": sum(suite.passed for suite in self.suites),
            "failed": sum(suite.failed for suite in self.suites),
            "skipped": sum(suite.skipped for suite in self.suites),
        }


def run_of(run_id: UUID) -> EvalRun | None:
    """One query."""
    return EvalRun.objects.select_related("prompt", "asked_by").defer("prompt__text").filter(pk=run_id).first()


def run_page(run: EvalRun) -> RunPage:
    """Four queries: the results, those that failed in full, the run before, and those to compare with."""
    rows = list(results_of(run).defer(*HEAVY)[:MOST])
    failed = results_of(run).filter(status=EvalResult.Status.FAILED)
    return RunPage(
        run=run,
        figures=run_figures(run),
        failed=list(failed.defer("said", "written")[:MOST]),
        suites=list(_suites(rows)),
        done=len(rows),
        before=before_of(run),
        others=[other for other in ended_runs() if other.pk != run.pk],
    )


def results_of(run: EvalRun) -> QuerySet[EvalResult]:
    return EvalResult.objects.filter(run=run).order_by("suite", "case")


def result_of(result_id: UUID) -> EvalResult | None:
    """One case of one run, with everything; one query."""
    return EvalResult.objects.select_related("run").filter(pk=result_id).first()


def failed_of(runs: Sequence[UUID], most: int = 200) -> dict[UUID, list[EvalResult]]:
    """The cases that failed in each of these runs, by name and without what was said; one query, or none."""
    found: dict[UUID, list[EvalResult]] = {}
    if runs:
        failed = EvalResult.objects.filter(run__in=runs, status=EvalResult.Status.FAILED).order_by("case")
        for row in failed.only("run", "case")[:most]:
            found.setdefault(row.run_id, []).append(row)
    return found


def _suites(rows: Sequence[EvalResult]) -> Iterator[Suite]:
    names = dict.fromkeys(row.suite for row in rows)
    yield from (Suite(name, [row for row in rows if row.suite == name]) for name in names)
