"""Saving evaluation cases from turns and replays, and exporting them: here, because it joins ops' gates and evals."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.views.decorators.http import require_GET, require_POST

from support_agent.evals.saving import case_save
from support_agent.models import Replay, SavedCase, Turn
from support_agent.ops.gates import staff_of, staff_only
from support_agent.runtime.replay import STARTERS
from tickets.errors import NotFound


@require_POST
@staff_only(*STARTERS)
def save(request: HttpRequest) -> HttpResponse:
    """Keep a turn as it went, or as a replay of it went, and show the case."""
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
    messages.success(request, f"Saved as {made.name}.{note} Run it: manage.py run_evals {made.name}")
    return redirect(reverse("admin:support_agent_savedcase_change", args=[made.pk]))


@require_GET
@staff_only(*STARTERS)
def export(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """One case as a file for support_agent/evals/cases/."""
    found = SavedCase.objects.filter(pk=case_id).first()
    if found is None:
        raise NotFound("There is no such case.")
    return _file(found.yaml, found.name)


@require_GET
@staff_only(*STARTERS)
def export_all(request: HttpRequest) -> HttpResponse:
    """Every saved case in one file."""
    return _file("\n".join(SavedCase.objects.order_by("name").values_list("yaml", flat=True)), "saved")


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
    path("admin/ops/cases/<uuid:case_id>.yaml", export, name="case_export"),
]
