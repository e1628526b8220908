"""The lists of traces and of steps, and their exports."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from support_agent.agent.types import StepKind
from support_agent.models import Step, Turn
from support_agent.ops.exports import csv_file, json_file, may_export
from support_agent.ops.gates import MANAGERS, READERS, staff_only
from support_agent.ops.selectors.filters import ANY_REASON, PATHS, SURFACES, TraceFilter
from support_agent.ops.selectors.patience import TooSlow
from support_agent.ops.selectors.reading import clock
from support_agent.ops.selectors.steps import ANY_FAILURE, PAGES, SORTS, StepFilter, all_steps, steps_page
from support_agent.ops.selectors.traces import TraceRow, all_traces, traces_page
from support_agent.runtime.controls import tool_categories
from tickets.models import Conversation, EscalationReason

TRACE_COLUMNS = ("reference", "customer", "status", "topic", "turns", "steps", "errors", "input_tokens",
                 "output_tokens", "cache_read_tokens", "cache_write_tokens", "cost_usd", "last_activity")  # fmt: skip
STEP_COLUMNS = ("at", "reference", "turn_id", "index", "kind", "model", "tool", "status", "error", "duration_ms",
                "ttft_ms", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cost_usd",
                "prompt_version", "surface", "topic")  # fmt: skip
STEP_STATUSES = ("success", "error", "failed", "cut", "degraded", "not_found", "invalid_arguments",
                 "pending_confirmation", "awaiting_staff", "needs_verification", "escalated", "notice")  # fmt: skip


@require_GET
@staff_only(*READERS)
def trace_list(request: HttpRequest) -> HttpResponse:
    wanted = TraceFilter.read_bounded(request.GET)
    rows: list[TraceRow] = []
    has_more = too_slow = False
    try:
        rows, has_more = traces_page(wanted, before=read_cursor(request.GET.get("before", "")))
    except TooSlow:
        too_slow = True
    return render(request, "ops/traces.html", {
        "desk_page": "traces",
        "title": "Traces",
        "filter": wanted,
        "query": wanted.as_query(),
        "rows": rows,
        "too_slow": too_slow,
        "older": wanted.as_query(before=cursor_of(rows[-1])) if has_more else "",
        "is_first": "before" not in request.GET,
        "may_export": may_export(request),
        "choices": choices(wanted.tool, wanted.step_status),
    })  # fmt: skip


@require_GET
@staff_only(*READERS)
def step_list(request: HttpRequest) -> HttpResponse:
    wanted = StepFilter.read_bounded(request.GET)
    page = read_page(request.GET.get("page", ""))
    rows: list[Step] = []
    has_more = too_slow = False
    try:
        rows, has_more = steps_page(wanted, page)
    except TooSlow:
        too_slow = True
    return render(request, "ops/steps.html", {
        "desk_page": "traces",
        "title": "Steps",
        "filter": wanted,
        "query": wanted.as_query(),
        "rows": rows,
        "too_slow": too_slow,
        "page": page,
        "newer": wanted.as_query(page=str(page - 1)) if page > 1 else "",
        "older": wanted.as_query(page=str(page + 1)) if has_more and page < PAGES else "",
        "may_export": may_export(request),
        "sorts": list(SORTS),
        "choices": choices(wanted.tool, wanted.status, ANY_FAILURE),
    })  # fmt: skip


@require_GET
@staff_only(*MANAGERS)
def trace_list_csv(request: HttpRequest) -> StreamingHttpResponse:
    rows = all_traces(TraceFilter.read_bounded(request.GET))
    return csv_file("traces.csv", TRACE_COLUMNS, (trace_values(row) for row in rows))


@require_GET
@staff_only(*MANAGERS)
def trace_list_json(request: HttpRequest) -> StreamingHttpResponse:
    rows = all_traces(TraceFilter.read_bounded(request.GET))
    return json_file("traces.json", (dict(zip(TRACE_COLUMNS, trace_values(row), strict=True)) for row in rows))


@require_GET
@staff_only(*MANAGERS)
def step_list_csv(request: HttpRequest) -> StreamingHttpResponse:
    return csv_file("steps.csv", STEP_COLUMNS, _steps(request))


@require_GET
@staff_only(*MANAGERS)
def step_list_json(request: HttpRequest) -> StreamingHttpResponse:
    return json_file("steps.json", (dict(zip(STEP_COLUMNS, row, strict=True)) for row in _steps(request)))


def _steps(request: HttpRequest) -> Iterator[tuple[object, ...]]:
    return (step_values(step) for step in all_steps(StepFilter.read_bounded(request.GET)))


def choices(tool: str, status: str, *more: str) -> dict[str, Any]:
    """What the filters' lists offer, with a value of the address that is in none of them."""
    return {
        "statuses": Conversation.Status.choices,
        "states": Turn.State.choices,
        "paths": PATHS,
        "surfaces": [(name, name.replace("_", " ").capitalize()) for name in SURFACES],
        "channels": Conversation.Channel.choices,
        "reasons": [(ANY_REASON, "Any reason"), *EscalationReason.choices],
        "kinds": [kind.value for kind in StepKind],
        "tools": sorted({*tool_categories(), tool} - {""}),
        "step_statuses": [*more, *STEP_STATUSES, *([status] if status not in (*more, *STEP_STATUSES, "") else [])],
    }


def trace_values(row: TraceRow) -> tuple[object, ...]:
    conversation, totals = row.conversation, row.totals
    return (
        conversation.reference,
        conversation.customer.email if conversation.customer else "",
        conversation.status,
        conversation.topic,
        totals.turns,
        totals.steps,
        totals.errors,
        totals.input_tokens,
        totals.output_tokens,
        totals.cache_read_tokens,
        totals.cache_write_tokens,
        totals.cost_usd,
        conversation.last_message_at.isoformat(),
    )


def step_values(step: Step) -> tuple[object, ...]:
    turn = step.turn
    return (
        step.created_at.isoformat(), turn.conversation.reference, turn.pk, step.index, step.kind, step.model, step.tool,
        step.status, step.error, step.duration_ms, step.ttft_ms, step.input_tokens, step.output_tokens,
        step.cache_read_tokens, step.cache_write_tokens, step.cost_usd, turn.prompt_version, turn.surface, turn.topic,
    )  # fmt: skip


def cursor_of(row: TraceRow) -> str:
    """Where the next page starts: the last row's place in the order."""
    return f"{row.conversation.last_message_at.isoformat()}~{row.conversation.pk}"


def read_cursor(text: str) -> tuple[datetime, UUID] | None:
    moment, _, key = text.partition("~")
    try:
        at = clock(moment)
        return (at, UUID(key)) if at else None
    except ValueError:
        return None


def read_page(text: str) -> int:
    return min(max(int(text), 1), PAGES) if text.isascii() and text.isdigit() and len(text) < 6 else 1
