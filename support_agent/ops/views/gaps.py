"""Gaps: what customers asked and nobody could answer, and the articles that would."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from support_agent.models import Gap
from support_agent.ops.gates import MANAGERS, staff_of, staff_only
from support_agent.ops.selectors.gaps import STATES, gap_counts, gap_page, gap_rows
from support_agent.runtime.gap_draft import gap_draft
from support_agent.runtime.gaps import gap_dismiss, gap_reopen
from support_agent.runtime.ratelimit import allow
from tickets.errors import DeskError, NotAllowed, NotFound
from tickets.search.embedder import embedder_status, get_embedder

DEEDS = {"dismiss": gap_dismiss, "reopen": gap_reopen}


@require_GET
@staff_only(*MANAGERS)
def gap_list(request: HttpRequest) -> HttpResponse:
    """`?state=` one of four (open), `?page=`."""
    asked, page = request.GET.get("state", ""), request.GET.get("page", "1")
    state = asked if asked in STATES else Gap.State.OPEN.value
    number = int(page) if page.isdecimal() and 0 < len(page) < 5 and int(page) else 1
    rows, more = gap_rows(state, number)
    counts = gap_counts()
    context = {
        "desk_page": "report",
        "title": "Gaps",
        "rows": rows,
        "state": state,
        "tabs": [(one.value, one.label, counts.get(one.value, 0)) for one in STATES],
        "next_page": number + 1 if more else 0,
        "works": get_embedder() is not None and embedder_status()[0],
    }
    return render(request, "ops/gaps/list.html", context)


@require_GET
@staff_only(*MANAGERS)
def gap(request: HttpRequest, gap_id: UUID) -> HttpResponse:
    if (page := gap_page(gap_id)) is None:
        raise NotFound("There is no such gap.")
    return render(request, "ops/gaps/page.html", {"desk_page": "report", "title": "Gap", "page": page})


@require_POST
@staff_only(*MANAGERS)
def draft(request: HttpRequest, gap_id: UUID) -> HttpResponse:
    """Have an article drafted from what staff answered."""
    found = _found(gap_id)
    try:
        allow("assist", str(staff_of(request).pk))
        gap_draft(gap=found, staff=staff_of(request))
        messages.success(request, "The assistant writes a draft. Nothing is published by itself.")
    except (NotAllowed, NotFound):
        raise
    except DeskError as refusal:
        messages.error(request, refusal.message)
    return redirect("gap", gap_id)


@require_POST
@staff_only(*MANAGERS)
def settle(request: HttpRequest, gap_id: UUID) -> HttpResponse:
    """`deed` is dismiss or reopen."""
    deed = DEEDS.get(request.POST.get("deed", ""))
    if deed is None:
        messages.error(request, "Dismiss it or open it again.")
    else:
        try:
            deed(gap=_found(gap_id), staff=staff_of(request))
        except (NotAllowed, NotFound):
            raise
        except DeskError as refusal:
            messages.error(request, refusal.message)
    return redirect("gap", gap_id)


def _found(gap_id: UUID) -> Gap:
    if (found := Gap.objects.filter(pk=gap_id).first()) is None:
        raise NotFound("There is no such gap.")
    return found
