"""One evaluation run, and two of them side by side."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from support_agent.models import EvalResult, EvalRun
from support_agent.ops.exports import csv_file, json_file, may_export
from support_agent.ops.gates import MANAGERS, READERS, staff_only
from support_agent.ops.selectors.eval_compare import compare_runs
from support_agent.ops.selectors.eval_run import results_of, run_of, run_page
from support_agent.ops.selectors.evals import ended_runs
from tickets.errors import NotFound

COLUMNS = (
    "case", "suite", "adversarial", "status", "runs", "held", "outcome", "tools", "failures", "steps", "cost_usd",
    "seconds", "fingerprint",
)  # fmt: skip


@require_GET
@staff_only(*READERS)
def run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    found = run_page(_run(run_id))
    return render(request, "ops/evals/run.html", {
        "desk_page": "evals",
        "title": "Evaluation run",
        "page": found,
        "may_start": may_export(request),
        "may_export": may_export(request),
    })  # fmt: skip


@require_GET
@staff_only(*READERS)
def compare(request: HttpRequest) -> HttpResponse:
    """`a` is the run before, `b` the one it is compared with; without both, the form alone."""
    runs = ended_runs()
    a, b = (_chosen(runs, request.GET.get(name, "")) for name in ("a", "b"))
    return render(request, "ops/evals/compare.html", {
        "desk_page": "evals",
        "title": "Two evaluation runs",
        "runs": list({one.pk: one for one in [*runs, *(one for one in (a, b) if one)]}.values()),
        "a": a,
        "b": b,
        "compared": compare_runs(a, b) if a and b and a.pk != b.pk else None,
        "is_same": bool(a and b and a.pk == b.pk),
    })  # fmt: skip


@require_GET
@staff_only(*MANAGERS)
def run_csv(request: HttpRequest, run_id: UUID) -> StreamingHttpResponse:
    found = _run(run_id)
    return csv_file(f"evaluation-{found.created_at:%Y-%m-%d-%H%M}.csv", COLUMNS, (_values(row) for row in _rows(found)))


@require_GET
@staff_only(*MANAGERS)
def run_json(request: HttpRequest, run_id: UUID) -> StreamingHttpResponse:
    """As the CSV, with the thread and the case's text."""
    found = _run(run_id)
    rows = (
        dict(zip(COLUMNS, _values(row), strict=True))
        | {"tools": row.tools, "failures": row.failures, "said": row.said, "written": row.written}
        for row in _rows(found)
    )
    return json_file(f"evaluation-{found.created_at:%Y-%m-%d-%H%M}.json", rows)


def _rows(run: EvalRun) -> Iterator[EvalResult]:
    return results_of(run).iterator(200)


def _values(row: EvalResult) -> tuple[object, ...]:
    return (
        row.case, row.suite, row.adversarial, row.status, row.runs, row.held, row.outcome,
        " > ".join(map(str, row.tools)), " | ".join(map(str, row.failures)), row.steps,
        row.cost_usd, row.seconds, row.fingerprint,
    )  # fmt: skip


def _run(run_id: UUID) -> EvalRun:
    found = run_of(run_id)
    if found is None:
        raise NotFound("There is no such run.")
    return found


def _chosen(runs: list[EvalRun], key: str) -> EvalRun | None:
    """The run of this id, also one too old for the list; None for nothing and for what is no id."""
    if (known := next((one for one in runs if str(one.pk) == key), None)) is not None:
        return known
    try:
        return run_of(UUID(key))
    except ValueError:
        return None
