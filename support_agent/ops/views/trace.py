"""One trace: its page, its part that grows while a turn runs, its exports, and the way to it from any record."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from support_agent.agent.types import StepKind
from support_agent.models import Step
from support_agent.ops.exports import csv_file, may_export
from support_agent.ops.gates import MANAGERS, READERS, staff_of, staff_only
from support_agent.ops.selectors.export import conversation_shared
from support_agent.ops.selectors.finding import place_of
from support_agent.ops.selectors.trace import FAULTS_SHOWN, Trace, live_mark, live_part, trace_of
from support_agent.ops.selectors.traces import totals_of
from support_agent.ops.trace_rows import Part, parts_of, turn_link, turn_of_escalation
from support_agent.ops.views.traces import STEP_COLUMNS, step_values
from tickets.access import conversation_for_staff
from tickets.models import Conversation, Escalation, EscalationReason

NOTHING_NEW = 204


@require_GET
@staff_only(*READERS)
def trace(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    conversation = conversation_for_staff(conversation_id, staff_of(request))
    before, start = (read_id(request.GET.get(name, "")) for name in ("before", "turn"))
    found = trace_of(conversation, before=before, start=start)
    parts = parts_of(found.blocks, found.escalations)
    return render(request, "ops/trace.html", {
        "desk_page": "traces",
        "title": f"Trace {conversation.reference}",
        "conversation": conversation,
        "trace": found,
        "totals": found.totals,
        "may_export": may_export(request),
        "blocks": [(part.block, part.fall) for part in parts],
        "kinds": [kind.value for kind in StepKind],
        "prompts": list({part.prompt.version: part.prompt for part in parts if part.prompt}.values()),
        **links_of(found),
        **split(conversation, parts),
    })  # fmt: skip


@require_GET
@staff_only(*READERS)
def live(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The turns from `turn` on, while one of them runs; 204 when they look as they did at `seen`."""
    conversation = conversation_for_staff(conversation_id, staff_of(request))
    start = read_id(request.GET.get("turn", ""))
    if start is None or not conversation.turns.filter(pk=start).exists():
        raise Http404("There is no such turn.")
    mark, runs = live_mark(conversation, start)
    if runs and mark == request.GET.get("seen"):
        return HttpResponse(status=NOTHING_NEW)
    parts = parts_of(live_part(conversation, start), conversation.escalations.select_related("team"))
    return render(request, "ops/trace/live.html", {
        "conversation": conversation,
        "live": parts,
        "live_from": start,
        "mark": mark,
        "runs": runs,
        "totals": totals_of([conversation.pk])[conversation.pk],
        "is_fragment": True,
    })  # fmt: skip


@require_GET
@staff_only(*MANAGERS)
def trace_json(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The same JSON as the command's."""
    conversation = conversation_for_staff(conversation_id, staff_of(request))
    response = JsonResponse(conversation_shared(conversation), json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="{conversation.reference}.json"'
    return response


@require_GET
@staff_only(*MANAGERS)
def trace_csv(request: HttpRequest, conversation_id: UUID) -> StreamingHttpResponse:
    """The conversation's steps, one a line."""
    conversation = conversation_for_staff(conversation_id, staff_of(request))
    steps = Step.objects.filter(turn__conversation=conversation).select_related("turn__conversation")
    rows = steps.defer("input", "output").order_by("turn__created_at", "attempt", "index")
    return csv_file(f"{conversation.reference}.csv", STEP_COLUMNS, (step_values(step) for step in rows.iterator()))


@require_GET
@staff_only(*READERS)
def find(request: HttpRequest, key: UUID) -> HttpResponse:
    """From the id of a conversation, turn, step, tool call, message, action, escalation or task to its place."""
    place = place_of(key)
    if place is None:
        raise Http404("Nothing with this id is in any trace.")
    return HttpResponseRedirect(place)


def split(conversation: Conversation, parts: list[Part]) -> dict[str, Any]:
    """The turns that are done, and from the first that is not on those that a page keeps asking for."""
    first = next((n for n, part in enumerate(parts) if part.is_live), None)
    turn = parts[first].turn if first is not None else None
    if first is None or turn is None:
        return {"parts": parts, "live": []}
    mark, runs = live_mark(conversation, turn.pk)
    return {"parts": parts[:first], "live": parts[first:], "live_from": turn.pk, "mark": mark, "runs": runs}


def links_of(found: Trace) -> dict[str, Any]:
    """What went wrong, who was asked and what was done, each with the way to its turn."""
    conversation = found.conversation
    shown = {block.turn.pk for block in found.blocks if block.turn}
    of_turns = set(found.turn_ids)
    return {
        "failed_turns": [(turn, turn_link(conversation, turn.pk, shown)) for turn in found.faults.turns[:FAULTS_SHOWN]],
        "failed_steps": [
            (step, turn_link(conversation, step.turn_id, shown, step.pk)) for step in found.faults.steps[:FAULTS_SHOWN]
        ],
        "actions": [
            (one, turn_link(conversation, one.turn_id, shown) if one.turn_id in of_turns else "")
            for one in found.actions
        ],
        "escalations": [
            (
                one,
                turn_link(conversation, turn, shown) if (turn := turn_of_escalation(found, one)) else "",
                _raised_by(found, one),
            )
            for one in found.escalations
        ],
    }  # fmt: skip


def _raised_by(found: Trace, escalation: Escalation) -> str:
    """What else than a turn, as far as its own words tell."""
    if escalation.reason == EscalationReason.ASKED:
        return "Asked for by the button"
    if escalation.reason == EscalationReason.PEOPLE_FIRST:
        return "People answer on this surface"
    is_of_action = escalation.summary in {action.summary for action in found.actions}
    return "Raised by confirming an action" if is_of_action else ""


def read_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
