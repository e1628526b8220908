"""The trace pages: what the assistant did and what it cost."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from support_agent.agent.types import StepKind, Surface
from support_agent.models import Turn
from support_agent.ops.gates import staff_of, staff_only
from support_agent.ops.selectors.export import conversation_export
from support_agent.ops.selectors.filters import PATHS, TraceFilter
from support_agent.ops.selectors.traces import TraceRow, trace_of, traces_page
from support_agent.ops.waterfall import Waterfall
from support_agent.runtime.controls import tool_categories
from tickets.access import conversation_for_staff, staff_roles
from tickets.models import Conversation, Role

READERS = (Role.AGENT, Role.LEAD, Role.OPS, Role.ADMIN)
EXPORTERS = (Role.LEAD, Role.OPS, Role.ADMIN)
CSV_PAGE, CSV_MOST = 500, 10_000
CSV_HEAD = ("reference", "customer", "status", "topic", "turns", "steps", "errors", "input_tokens", "output_tokens",
            "cache_read_tokens", "cache_write_tokens", "cost_usd", "last_activity")  # fmt: skip


@require_GET
@staff_only(*READERS)
def trace_list(request: HttpRequest) -> HttpResponse:
    wanted = TraceFilter.read(request.GET)
    rows, has_more = traces_page(wanted, before=read_cursor(request.GET.get("before", "")))
    return render(
        request,
        "ops/traces.html",
        {
            "desk_page": "traces",
            "title": "Traces",
            "filter": wanted,
            "query": wanted.as_query(),
            "rows": rows,
            "older": wanted.as_query(before=cursor_of(rows[-1])) if has_more else "",
            "is_first": "before" not in request.GET,
            "may_export": may_export(request),
            "statuses": Conversation.Status.choices,
            "states": Turn.State.choices,
            "paths": PATHS,
            "tools": sorted({*tool_categories(), wanted.tool} - {""}),
            "surfaces": [(surface.value, surface.value.replace("_", " ").capitalize()) for surface in Surface],
        },
    )


@require_GET
@staff_only(*READERS)
def trace(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    conversation = conversation_for_staff(conversation_id, staff_of(request))
    found = trace_of(conversation, before=read_id(request.GET.get("before", "")))
    return render(
        request,
        "ops/trace.html",
        {
            "desk_page": "traces",
            "title": f"Trace {conversation.reference}",
            "conversation": conversation,
            "trace": found,
            "may_export": may_export(request),
            "kinds": [kind.value for kind in StepKind],
            "blocks": [(block, Waterfall.of(block.turn, block.steps)) for block in found.blocks],
        },
    )


@require_GET
@staff_only(*EXPORTERS)
def trace_json(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The same JSON as the command's."""
    conversation = conversation_for_staff(conversation_id, staff_of(request))
    response = JsonResponse(conversation_export(conversation), json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="{conversation.reference}.json"'
    return response


@require_GET
@staff_only(*EXPORTERS)
def trace_list_csv(request: HttpRequest) -> StreamingHttpResponse:
    """What the list shows, up to 10,000 rows."""
    lines = csv_lines(TraceFilter.read(request.GET))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="traces.csv"'
    return response


def may_export(request: HttpRequest) -> bool:
    return bool(staff_roles(staff_of(request)) & {role.value for role in EXPORTERS})


def csv_lines(wanted: TraceFilter) -> Iterator[str]:
    yield csv_line(CSV_HEAD)
    before, written, has_more = None, 0, True
    while has_more and written < CSV_MOST:
        rows, has_more = traces_page(wanted, before=before, limit=CSV_PAGE)
        for row in rows:
            yield csv_line(csv_row(row))
        written += len(rows)
        before = (rows[-1].conversation.last_message_at, rows[-1].conversation.pk) if rows else None


def csv_row(row: TraceRow) -> tuple[object, ...]:
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


def csv_line(values: tuple[object, ...]) -> str:
    """One line; a cell that a spreadsheet would run as a formula is kept as text."""
    cells = [f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@\t\r" else cell for cell in values]
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def cursor_of(row: TraceRow) -> str:
    """Where the next page starts: the last row's place in the order."""
    return f"{row.conversation.last_message_at.isoformat()}~{row.conversation.pk}"


def read_cursor(text: str) -> tuple[datetime, UUID] | None:
    moment, _, key = text.partition("~")
    try:
        return datetime.fromisoformat(moment.replace(" ", "+")), UUID(key)
    except ValueError:
        return None


def read_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
