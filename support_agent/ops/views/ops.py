"""The operations page: how the assistant does in a span of time."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from support_agent.ops.figures import figures
from support_agent.ops.gates import MANAGERS, staff_only
from support_agent.ops.panels import sections, timings, traces
from support_agent.ops.selectors import safety
from support_agent.ops.selectors.budgets import budgets
from support_agent.ops.selectors.outcomes import waiting
from support_agent.ops.selectors.pulse import readings_of
from support_agent.ops.selectors.tool_health import tool_health
from support_agent.ops.spans import PRESETS, Span
from support_agent.runtime.buckets import MOST_OFF
from support_agent.runtime.controls import controls


@require_GET
@staff_only(*MANAGERS)
def page(request: HttpRequest) -> HttpResponse:
    span = Span.of(request.GET)
    found = readings_of(span)
    switches = safety.switch_rows(span.end)
    disabled = frozenset(row.tool for row in switches if row.tool and not row.is_overridden)
    tools = tool_health(found, disabled)
    return render(
        request,
        "ops/ops.html",
        {
            "desk_page": "ops",
            "title": "Operations",
            "span": span,
            "presets": PRESETS,
            "figures": figures(found.now, found.before),
            "sections": sections(found),
            "timings": timings(found),
            "most_off": MOST_OFF,
            "tools": tools,
            "unwell": [tool for tool in tools if tool.breaker in ("open", "half_open")],
            "on": [row for row in switches if row.state == "on"],
            "waiting": waiting(span.end),
            "budgets": budgets(controls(), span.end),
            "traces": traces(span),
            "refusals": safety.latest_refusals(),
        },
    )
