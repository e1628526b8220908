"""One case: through all runs, and as it went in one of them."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from support_agent.ops.gates import READERS, staff_only
from support_agent.ops.selectors.eval_case import case_page
from support_agent.ops.selectors.eval_run import result_of
from support_agent.ops.selectors.reading import name as named
from tickets.errors import NotFound


@require_GET
@staff_only(*READERS)
def case_history(request: HttpRequest, case: str) -> HttpResponse:
    model = named(request.GET.get("model", ""))
    found = case_page(case, model)
    if found is None:
        raise NotFound("No run had such a case.")
    context = {"desk_page": "evals", "title": case, "page": found, "model": model}
    return render(request, "ops/evals/case.html", context)


@require_GET
@staff_only(*READERS)
def result(request: HttpRequest, eval_result_id: UUID) -> HttpResponse:
    """One case as it went in one run: a page, or (`?part=1`) what its row of the run unfolds to."""
    found = result_of(eval_result_id)
    if found is None:
        raise NotFound("There is no such result.")
    template = "ops/evals/inside.html" if "part" in request.GET else "ops/evals/result.html"
    return render(request, template, {"desk_page": "evals", "title": found.case, "result": found})
