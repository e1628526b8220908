"""The saved questions: an index, a page each, and their tables as CSV."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from support_agent.ops.exports import csv_file, may_export
from support_agent.ops.gates import MANAGERS, staff_only
from support_agent.ops.questions import QUESTIONS
from support_agent.ops.questions.base import Answer, Asked, Question
from support_agent.ops.selectors.filters import PATHS, SURFACES
from support_agent.ops.selectors.patience import TooSlow, patience
from support_agent.runtime.controls import tool_categories

LABELS = {"surface": "Surface", "path": "Path", "topic": "Topic", "tool": "Tool", "model": "Model",
          "prompt": "Prompt version", "more_than": "More steps than"}  # fmt: skip


@require_GET
@staff_only(*MANAGERS)
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "ops/questions/index.html",
                  {"desk_page": "questions", "title": "Questions", "questions": QUESTIONS.values()})  # fmt: skip


@require_GET
@staff_only(*MANAGERS)
def question(request: HttpRequest, slug: str) -> HttpResponse:
    asking, asked = _asked(request, slug)
    answer = _answered(asking, asked)
    return render(request, "ops/questions/question.html", {
        "desk_page": "questions",
        "title": asking.title,
        "question": asking,
        "asked": asked,
        "answer": answer,
        "query": asked.as_query(),
        "filters": [(name, LABELS[name], getattr(asked, name), _options(name)) for name in asking.filters],
        "may_export": may_export(request),
        "others": [one for one in QUESTIONS.values() if one is not asking],
    })  # fmt: skip


@require_GET
@staff_only(*MANAGERS)
def question_csv(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """One table of the answer: `?table=` names it, without it the first."""
    asking, asked = _asked(request, slug)
    answer = _answered(asking, asked)
    if answer is None:
        raise Http404("This question takes too long over this span.")
    wanted = request.GET.get("table", "")
    table = next((one for one in answer.tables if one.name == wanted or not wanted), None)
    if table is None:
        if wanted and answer.tables:
            raise Http404("The answer has no such table.")
        return csv_file(f"{slug}.csv", [asking.title], [[answer.sentence]])
    head = [one.text for one in table.heads]
    return csv_file(f"{slug}-{table.name}.csv", head, ([cell.raw for cell in row] for row in table.rows))


def _asked(request: HttpRequest, slug: str) -> tuple[Question, Asked]:
    if slug not in QUESTIONS:
        raise Http404("There is no such question.")
    return QUESTIONS[slug], Asked.read(request.GET)


def _answered(asking: Question, asked: Asked) -> Answer | None:
    """None when it took too long."""
    try:
        with patience():
            return asking.answer(asked)
    except TooSlow:
        return None


def _options(name: str) -> list[str]:
    known = {"surface": SURFACES, "path": PATHS, "tool": sorted(tool_categories())}
    return known.get(name, [])
