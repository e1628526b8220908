"""Saving evaluation cases from conversations, turns and replays; looking at one, running and exporting them. Here,
because it joins ops' gates and evals."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from support_agent.evals.marking import counted, doubts, marked
from support_agent.evals.saved import check_yaml
from support_agent.evals.saving import case_save
from support_agent.evals.saving_whole import case_save_whole
from support_agent.models import EvalResult, EvalRun, Replay, SavedCase, Turn
from support_agent.ops.gates import staff_of, staff_only
from support_agent.runtime.eval_runs import run_enqueue
from support_agent.runtime.ratelimit import allow
from support_agent.runtime.replay import STARTERS
from tickets.access import conversation_for_staff
from tickets.errors import DeskError, NotFound
from tickets.models import User
from tickets.services.audit import audit


@require_POST
@staff_only(*STARTERS)
def save(request: HttpRequest) -> HttpResponse:
    """Keep a conversation or a turn as it went, or as a replay of it went, and show the case."""
    if request.POST.get("conversation"):
        return _save_whole(request, request.POST["conversation"])
    turn = Turn.objects.select_related("conversation__customer").filter(pk=_id(request.POST.get("turn", ""))).first()
    if turn is None:
        raise NotFound("There is no such turn.")
    found = None
    if request.POST.get("replay"):
        found = Replay.objects.filter(pk=_id(request.POST["replay"]), turn=turn).first()
        if found is None:
            raise NotFound("There is no such replay.")
    expected = found if request.POST.get("expect") == "replay" else None
    wished = request.POST.get("name", "")
    try:
        made = case_save(turn=turn, replay=expected, name=wished, staff=staff_of(request))
    except ValueError as problem:
        messages.error(request, f"This cannot be a case. {problem}")
        return redirect("replay", found.pk) if found else redirect("replay_start", turn.pk)
    note = f" The name {wished} was taken." if wished and made.name != wished else ""
    messages.success(request, f"Saved as {made.name}.{note}")
    return redirect("case", made.pk)


@require_http_methods(["GET", "POST"])
@staff_only(*STARTERS)
def case(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """One case: what was taken out of it, its text to be read and mended, how it went last."""
    found = _case(case_id)
    written, problem = found.yaml, ""
    if request.method == "POST":
        written = request.POST.get("yaml", "").replace("\r\n", "\n")
        if not (problem := check_yaml(written, found.name)):
            _change(found, written, staff_of(request))
            messages.success(request, "Saved.")
            return redirect("case", found.pk)
    context = {
        "desk_page": "evals",
        "title": found.name,
        "case": found,
        "pieces": list(marked(found.yaml)),
        "counts": counted(found.yaml),
        "doubts": doubts(found.yaml),
        "written": written,
        "problem": problem,
        "last": EvalResult.objects.select_related("run").filter(case=found.name).order_by("-created_at").first(),
    }
    return render(request, "ops/cases/page.html", context, status=422 if problem else 200)


@require_POST
@staff_only(*STARTERS)
def run(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """A worker runs it against the demo model."""
    found = _case(case_id)
    try:
        allow("eval_run", str(staff_of(request).pk))
        made = run_enqueue(kind=EvalRun.Kind.PAGE, suite=found.name, staff=staff_of(request))
    except DeskError as refusal:
        messages.error(request, refusal.message)
        return redirect("case", found.pk)
    messages.success(request, f"A worker runs {found.name}.")
    return redirect("evals_run", made.pk)


@require_GET
@staff_only(*STARTERS)
def export(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """One case as a file for support_agent/evals/cases/."""
    found = _case(case_id)
    return _file(found.yaml, found.name)


@require_GET
@staff_only(*STARTERS)
def export_all(request: HttpRequest) -> HttpResponse:
    """Every saved case in one file."""
    return _file("\n".join(SavedCase.objects.order_by("name").values_list("yaml", flat=True)), "saved")


def _save_whole(request: HttpRequest, wanted: str) -> HttpResponse:
    conversation = conversation_for_staff(_id(wanted), staff_of(request))
    try:
        made = case_save_whole(conversation=conversation, name=request.POST.get("name", ""), staff=staff_of(request))
    except ValueError as problem:
        messages.error(request, f"This cannot be a case. {problem}")
        return redirect("trace", conversation.pk)
    messages.success(request, f"Saved as {made.name}.")
    return redirect("case", made.pk)


@transaction.atomic
def _change(found: SavedCase, written: str, staff: User) -> None:
    audit(actor=staff, action="savedcase.change", obj=found, changes={"yaml": (found.yaml, written)})
    found.yaml = written
    found.save(update_fields=["yaml"])


def _case(case_id: UUID) -> SavedCase:
    if (found := SavedCase.objects.select_related("turn", "made_by").filter(pk=case_id).first()) is None:
        raise NotFound("There is no such case.")
    return found


def _file(text: str, name: str) -> HttpResponse:
    response = HttpResponse(text, content_type="application/yaml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.yaml"'
    return response


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is no such turn.") from None


urlpatterns = [
    path("admin/ops/cases/save/", save, name="case_save"),
    path("admin/ops/cases/saved.yaml", export_all, name="cases_export"),
    path("admin/ops/cases/<uuid:case_id>/", case, name="case"),
    path("admin/ops/cases/<uuid:case_id>/run/", run, name="case_run"),
    path("admin/ops/cases/<uuid:case_id>.yaml", export, name="case_export"),
]
