"""Measured drafts of a careful start: could the assistant have answered itself?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from support_agent.ops.drafts import ENOUGH, GOAL, STEPS, TITLES, Group, advice, grouped, total_of, worst_topics
from support_agent.ops.exports import csv_file
from support_agent.ops.gates import MANAGERS, staff_only
from support_agent.ops.selectors.drafts import NEARLY, draft_examples, draft_sums
from support_agent.ops.spans import Span
from support_agent.ops.views.axes import SPANS, SURFACES, asked_of, query_of
from support_agent.runtime.controls import controls
from support_agent.runtime.modes import CUSTOMERS

CSV_HEAD = (
    "group",
    "name",
    "drafts",
    "judged",
    "sent unchanged",
    "nearly unchanged",
    "changed more",
    "discarded",
    "ignored",
    "usable (%)",
    "usable, low (%)",
    "usable, high (%)",
    "words changed, mean",
    "similarity, mean",
    "cost per draft (USD)",
)


@require_GET
@staff_only(*MANAGERS)
def page(request: HttpRequest) -> HttpResponse:
    name, span, surface = asked_of(request)
    rows = draft_sums(span, surface)
    before = total_of(draft_sums(_before(span), surface))
    return render(
        request,
        "ops/evals/drafts.html",
        {
            "desk_page": "evals",
            "title": "Drafts",
            "span": span,
            "name": name,
            "spans": {key: label for key, (label, _) in SPANS.items()},
            "surface": surface,
            "surfaces": SURFACES,
            "query": query_of(name, surface),
            "total": total_of(rows),
            "before": before,
            "surface_advice": _advice(rows, surface),
            "tables": [(key, title, grouped(rows, key)) for key, title in TITLES.items()],
            "worst": [(group, draft_examples(span, surface, group.key)) for group in worst_topics(rows)],
            "rule": {"goal": GOAL, "enough": ENOUGH, "steps": STEPS, "nearly": NEARLY},
        },
    )


@require_GET
@staff_only(*MANAGERS)
def export_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The tables of the page; no words of customers or drafts."""
    _, span, surface = asked_of(request)
    return csv_file(f"drafts-{span.since}-{span.until}.csv", CSV_HEAD, _csv(draft_sums(span, surface)))


def _advice(rows: list[dict[str, Any]], surface: str) -> list[tuple[str, Any, Group, Any]]:
    """(surface, who answers there, its drafts, what the rule says) of each surface shown."""
    modes = controls().modes
    found = []
    for one in CUSTOMERS:
        if surface in ("", one.value):
            group = total_of((row for row in rows if row["surface"] == one.value), one.value)
            found.append((one.value, modes[one], group, advice(modes[one], group.share)))
    return found


def _before(span: Span) -> Span:
    """The equally long one before it."""
    return Span(span.name, span.before, span.before, span.start, span.unit)


def _csv(rows: list[dict[str, Any]]) -> Iterator[tuple[object, ...]]:
    yield _line("all", total_of(rows))
    for key in TITLES:
        for group in grouped(rows, key):
            yield _line(key, group)


def _line(kind: str, group: Group) -> tuple[object, ...]:
    share = group.share
    interval = [round(part * 100, 1) for part in (share.value, share.low, share.high)] if share else ["", "", ""]
    return (
        kind,
        group.name,
        group.all,
        group.judged,
        group.sent,
        group.nearly,
        group.changed_much,
        group.discarded,
        group.ignored,
        *interval,
        "" if group.words_each is None else round(group.words_each, 1),
        "" if group.similarity is None else round(group.similarity, 3),
        round(group.cost_each, 6),
    )
