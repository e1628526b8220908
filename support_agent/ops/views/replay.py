"""Replays: a form on each turn, a list, and one replay side by side with its original."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from support_agent.models import Replay, Turn
from support_agent.ops.gates import READERS, staff_of, staff_only
from support_agent.ops.selectors.reading import clock
from support_agent.ops.selectors.replays import choices_of, replay_page, replays_of, replays_page
from support_agent.runtime.ratelimit import allow
from support_agent.runtime.replay import ENDED, STARTERS, CannotReplay, replay_enqueue
from tickets.access import staff_roles
from tickets.errors import DeskError, NotAllowed, NotFound
from tickets.models import Message

GOES_ON = (Replay.State.QUEUED, Replay.State.RUNNING)


@require_GET
@staff_only(*READERS)
def replay_list(request: HttpRequest) -> HttpResponse:
    rows, has_more = replays_page(clock(request.GET.get("before", "")))
    older = rows[-1].created_at.isoformat() if has_more else ""
    context = {"desk_page": "traces", "title": "Replays", "replays": rows, "older": older}
    return render(request, "ops/replay/list.html", context)


@require_http_methods(["GET", "POST"])
@staff_only(*READERS)
def replay_start(request: HttpRequest, turn_id: UUID) -> HttpResponse:
    """The form and the turn's replays, as a page or (`?part=1`) for the trace; POST starts one."""
    turn = Turn.objects.select_related("conversation").defer("checkpoint").filter(pk=turn_id).first()
    if turn is None:
        raise NotFound("There is no such turn.")
    if request.method == "POST":
        try:
            return _start(request, turn)
        except (NotAllowed, NotFound):
            raise
        except DeskError as refusal:
            return _form(request, turn, refusal=refusal.message)
    return _form(request, turn)


@require_GET
@staff_only(*READERS)
def replay(request: HttpRequest, replay_id: UUID) -> HttpResponse:
    found = Replay.objects.select_related("turn__conversation", "asked_by").filter(pk=replay_id).first()
    if found is None:
        raise NotFound("There is no such replay.")
    return render(
        request,
        "ops/replay/page.html",
        {
            "desk_page": "traces",
            "title": f"Replay of {found.turn.conversation.reference}",
            "page": replay_page(found),
            "goes_on": found.state in GOES_ON,
            "may_start": may_start(request),
        },
    )


def may_start(request: HttpRequest) -> bool:
    return bool(staff_roles(staff_of(request)) & {role.value for role in STARTERS})


def _start(request: HttpRequest, turn: Turn) -> HttpResponse:
    from_step, other = request.POST.get("from_step", "0"), request.POST.get("other_model", "").strip()
    if not (from_step.isascii() and from_step.isdigit() and len(from_step) < 6):
        raise CannotReplay("A step is a number.")
    allow("replay", str(staff_of(request).pk))
    made = replay_enqueue(
        turn_id=turn.pk,
        staff=staff_of(request),
        from_step=int(from_step),
        model=other or request.POST.get("model", ""),
        prompt=request.POST.get("prompt", ""),
    )
    messages.success(request, "The replay has begun. Nothing it does reaches the customer.")
    return redirect("replay", made.pk)


def _form(request: HttpRequest, turn: Turn, *, refusal: str = "") -> HttpResponse:
    is_part = "part" in request.GET
    asked = Message.objects.filter(turn_id=turn.pk).order_by("seq").values_list("role", "text")
    context = {
        "desk_page": "traces",
        "title": f"Replay a turn of {turn.conversation.reference}",
        "turn": turn,
        "can_replay": turn.state in ENDED,
        "choices": choices_of(turn),
        "replays": replays_of(turn.pk),
        "said": [] if is_part else list(asked),
        "chosen": request.POST or request.GET,
        "refusal": refusal,
        "may_start": may_start(request),
    }
    template = "ops/replay/panel.html" if is_part else "ops/replay/start.html"
    return render(request, template, context, status=422 if refusal else 200)
