"""The list of evaluation runs, live while one goes on, and its exports."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from support_agent.ops.exports import csv_file, json_file, may_export
from support_agent.ops.gates import MANAGERS, READERS, staff_only
from support_agent.ops.selectors.eval_trend import trend_of
from support_agent.ops.selectors.evals import PAGES, EvalFilter, RunRow, all_runs, choices_of, nightly, runs_page

COLUMNS = (
    "id", "at", "kind", "suite", "model", "repeat", "prompt", "prompts", "code", "state", "verdict", "cases", "passed",
    "failed", "skipped", "pass_at_1", "pass_at_1_low", "pass_at_1_high", "pass_hat_k", "pass_hat_k_low",
    "pass_hat_k_high", "adversarial", "adversarial_held", "tokens_in", "tokens_out", "cost_usd", "cost_per_case",
    "took_ms", "by", "error",
)  # fmt: skip


@require_GET
@staff_only(*READERS)
def run_list(request: HttpRequest) -> HttpResponse:
    wanted, page = EvalFilter.read(request.GET), read_page(request.GET.get("page", ""))
    found = runs_page(wanted, page)
    is_first = page == 1 and not wanted.as_query()
    return render(request, "ops/evals/list.html", {
        "desk_page": "evals",
        "title": "Evaluation",
        "filter": wanted,
        "query": wanted.as_query(),
        "found": found,
        "page": page,
        "here": wanted.as_query(page=page if page > 1 else ""),
        "newer": wanted.as_query(page=page - 1) if page > 1 else "",
        "older": wanted.as_query(page=page + 1) if found.has_more and page < PAGES else "",
        "choices": choices_of(wanted),
        "trend": trend_of(nightly()) if is_first else None,
        "may_start": may_export(request),
        "may_export": may_export(request),
    })  # fmt: skip


@require_GET
@staff_only(*MANAGERS)
def run_list_csv(request: HttpRequest) -> StreamingHttpResponse:
    return csv_file("evaluation-runs.csv", COLUMNS, _values(request))


@require_GET
@staff_only(*MANAGERS)
def run_list_json(request: HttpRequest) -> StreamingHttpResponse:
    return json_file("evaluation-runs.json", (dict(zip(COLUMNS, row, strict=True)) for row in _values(request)))


def read_page(text: str) -> int:
    return min(max(int(text), 1), PAGES) if text.isascii() and text.isdigit() and len(text) < 6 else 1


def _values(request: HttpRequest) -> Iterator[tuple[object, ...]]:
    return (run_values(row) for row in all_runs(EvalFilter.read(request.GET)))


def run_values(row: RunRow) -> tuple[object, ...]:
    """One line of the file, in the order of COLUMNS."""
    run, told = row.run, row.figures
    return (
        str(run.pk), run.created_at.isoformat(), run.kind, run.suite, run.model, run.repeat, str(run.prompt or ""),
        ", ".join(one.label for one in told.spoke), run.code, run.state, told.verdict, told.cases,
        told.passed, told.failed, told.skipped, told.pass_at_1.value, told.pass_at_1.low, told.pass_at_1.high,
        told.pass_hat_k.value, told.pass_hat_k.low, told.pass_hat_k.high, told.adversarial, told.adversarial_held,
        told.tokens_in, told.tokens_out, run.cost_usd, told.cost_per_case, told.took_ms,
        run.asked_by.get_username() if run.asked_by else "", run.error,
    )  # fmt: skip
