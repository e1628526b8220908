"""Spot checks: the queue, and one check in its two blind steps. Ops look at the queue and at what is closed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from support_agent.models import SpotCheck, SpotLabel
from support_agent.ops.gates import MANAGERS, READERS, staff_of, staff_only
from support_agent.ops.selectors.spot_checks import done_of, known_of, label_of, queue_of
from support_agent.runtime.replay import STARTERS
from support_agent.runtime.spot_checks import (
    LABELLERS,
    MAX_NOTE,
    has_answer,
    spot_check_of,
    spot_checks_open,
    spot_label_begin,
    spot_label_judge,
)
from tickets.access import require_role, staff_roles
from tickets.errors import DeskError, NotAllowed, NotFound
from tickets.models import Role

ANSWERS = {"yes": True, "no": False}


@require_GET
@staff_only(*READERS)
def queue(request: HttpRequest) -> HttpResponse:
    staff = staff_of(request)
    roles = staff_roles(staff)
    judges, manages = _has(roles, LABELLERS), _has(roles, MANAGERS)
    context = {
        "desk_page": "evals",
        "title": "Spot checks",
        "queue": queue_of(staff, judges=judges, manages=manages),
        "judges": judges,
        "manages": manages,
    }
    return render(request, "ops/evals/checks.html", context)


@require_http_methods(["GET", "POST"])
@staff_only(*READERS)
def check(request: HttpRequest, check_id: UUID) -> HttpResponse:
    """POST `needs_person` (yes, no) is step 1, `accuracy` with `note` step 2; each leads on to what is next."""
    found = spot_check_of(check_id=check_id, staff=staff_of(request))
    if request.method == "POST":
        try:
            return _said(request, found)
        except (NotAllowed, NotFound):
            raise
        except DeskError as refusal:
            return _page(request, found, refusal=refusal.message)
    return _page(request, found)


@require_GET
@staff_only(*LABELLERS)
def following(request: HttpRequest) -> HttpResponse:
    """The one that waits longest for this person; the queue when none does."""
    waiting = spot_checks_open(staff_of(request)).first()
    return redirect("spot_check", waiting.pk) if waiting else redirect("spot_checks")


def _said(request: HttpRequest, found: SpotCheck) -> HttpResponse:
    staff = staff_of(request)
    require_role(staff, *LABELLERS)
    if "accuracy" not in request.POST:
        said = ANSWERS.get(request.POST.get("needs_person", ""))
        if said is None:
            return _page(request, found, refusal="Say yes or no first.")
        spot_label_begin(check_id=found.pk, staff=staff, needs_person=said)
        if has_answer(found):
            return redirect("spot_check", found.pk)
        messages.success(request, "Kept. Nothing had been said to the customer, so there is no second question.")
        return redirect("spot_check_next")
    note = request.POST.get("note", "").replace("\x00", "")
    label = spot_label_judge(check_id=found.pk, staff=staff, accuracy=request.POST["accuracy"], note=note)
    if label.accuracy == SpotLabel.Accuracy.INACCURATE:
        return redirect("spot_check", found.pk)  # what can be made of it
    messages.success(request, "Kept.")
    return redirect("spot_check_next")


def _page(request: HttpRequest, found: SpotCheck, *, refusal: str = "") -> HttpResponse:
    staff = staff_of(request)
    roles, label = staff_roles(staff), label_of(found, staff)
    manages, step = _has(roles, MANAGERS), _step(found, label, _has(roles, LABELLERS))
    context: dict[str, Any] = {
        "desk_page": "evals",
        "title": "Spot check",
        "check": found,
        "conversation": found.turn.conversation,
        "step": step,
        "label": label,
        "known": known_of(found) if step != "nothing" else None,
        "done": done_of(found) if step not in ("person", "nothing") else None,
        "labels": _closed_labels(found) if step == "looking" and manages else [],
        "refusal": refusal,
        "chosen": request.POST,
        "max_note": MAX_NOTE,
        "may_save": _has(roles, STARTERS),
        "may_edit": manages,
        "shortcuts": getattr(getattr(staff, "staff_profile", None), "shortcuts", True),
    }
    return render(request, "ops/evals/check.html", context, status=409 if refusal else 200)


def _step(found: SpotCheck, label: SpotLabel | None, judges: bool) -> str:
    """person (step 1), accuracy (step 2), said, looking (closed, and not theirs), or nothing that may be shown."""
    if label is not None and (label.accuracy or found.closed_at is None):
        return "said" if label.accuracy else "accuracy"
    if found.closed_at is not None:
        return "looking"
    return "person" if judges else "nothing"


def _closed_labels(found: SpotCheck) -> list[SpotLabel]:
    return list(found.labels.exclude(accuracy="").select_related("staff__staff_profile"))


def _has(mine: frozenset[str], roles: Iterable[Role]) -> bool:
    return bool(mine & {role.value for role in roles})
