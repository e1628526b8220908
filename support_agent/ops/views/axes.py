"""The four axes, how well the assistant knows when to hand over, and the judged turns behind a cell."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from support_agent.agent.types import Surface
from support_agent.ops.axes import axes
from support_agent.ops.calibration import calibration, cell_of
from support_agent.ops.gates import MANAGERS, staff_only
from support_agent.ops.selectors.axes import happened
from support_agent.ops.selectors.evaluated import newest_evaluated
from support_agent.ops.selectors.spot_labels import groups_of, labelled
from support_agent.ops.spans import Span

SPANS = {"week": ("7 days", "week"), "month": ("30 days", "30d"), "quarter": ("90 days", "90d")}
DEFAULT = "month"
SURFACES = tuple(surface.value for surface in Surface if surface is not Surface.BACKGROUND)
TURNS_SHOWN = 200


@require_GET
@staff_only(*MANAGERS)
def page(request: HttpRequest) -> HttpResponse:
    name, span, surface = asked_of(request)
    labels = labelled(span.before, span.end, surface)
    now = [one for one in labels if one.at >= span.start]
    run = newest_evaluated()
    return render(
        request,
        "ops/evals/axes.html",
        {
            "desk_page": "evals",
            "title": "Axes",
            "span": span,
            "name": name,
            "spans": {key: label for key, (label, _) in SPANS.items()},
            "surface": surface,
            "surfaces": SURFACES,
            "query": query_of(name, surface),
            "axes": axes(happened(span, surface), labels, run),
            "run": run.run if run else None,
            "calibration": calibration(now),
            "groups": groups_of(now, span.start, span.end, surface),
        },
    )


@require_GET
@staff_only(*MANAGERS)
def turns(request: HttpRequest) -> HttpResponse:
    """`bucket`, `handed`, `needed` as the cells of the table give them; `accuracy` as staff said."""
    name, span, surface = asked_of(request)
    asked = {key: request.GET.get(key, "") for key in ("bucket", "handed", "needed")}
    found = cell_of(labelled(span.start, span.end, surface), **asked)
    if accuracy := request.GET.get("accuracy", ""):
        found = [one for one in found if one.accuracy == accuracy]
    return render(
        request,
        "ops/evals/turns.html",
        {
            "desk_page": "evals",
            "title": "Judged turns",
            "span": span,
            "back": query_of(name, surface),
            "what": _words(asked, accuracy),
            "turns": found[:TURNS_SHOWN],
            "number": len(found),
        },
    )


def asked_of(request: HttpRequest) -> tuple[str, Span, str]:
    name, surface = request.GET.get("span", ""), request.GET.get("surface", "")
    name = name if name in SPANS else DEFAULT
    return name, Span.read(SPANS[name][1]), surface if surface in SURFACES else ""


def query_of(name: str, surface: str) -> str:
    return urlencode({"span": name, **({"surface": surface} if surface else {})})


def _words(asked: dict[str, str], accuracy: str) -> str:
    """What they have in common, in a sentence."""
    said = {"1": "handed over", "0": "not handed over"}.get(asked["handed"], "")
    needed = {"1": "needed a person", "0": "needed nobody"}.get(asked["needed"], "")
    of = {"accurate": "judged right", "inaccurate": "judged wrong", "unclear": "not to be told"}.get(accuracy, "")
    return ", ".join(filter(None, (said, needed, of))) or "all of them"
