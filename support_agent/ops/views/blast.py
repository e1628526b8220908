"""Blast radius: what a change that is not live would do to past answers. A list, a look before, one radius, its end."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from support_agent.models import BlastRadius, PromptVersion
from support_agent.ops.gates import MANAGERS, staff_of, staff_only
from support_agent.ops.selectors.blast import blast_page, choices, draft_changes, radii_page, what_of
from support_agent.runtime.blast import MOST, MOST_DAYS, blast_enqueue, blast_of, blast_stop
from support_agent.runtime.blast_touch import estimate
from support_agent.runtime.eval_rows import LIVE
from support_agent.runtime.ratelimit import allow
from support_agent.runtime.replay import CannotReplay
from tickets.errors import DeskError, NotAllowed, NotFound
from tickets.models import Article
from tickets.services.articles import FIELDS

DAYS, TURNS = 30, 40


@require_GET
@staff_only(*MANAGERS)
def radius_list(request: HttpRequest) -> HttpResponse:
    context = {"desk_page": "evals", "title": "Blast radius", "rows": radii_page(), "choices": choices()}
    return render(request, "ops/blast/list.html", context)


@require_http_methods(["GET", "POST"])
@staff_only(*MANAGERS)
def radius_new(request: HttpRequest) -> HttpResponse:
    """The change, how many past turns it touches and what that costs; POST begins."""
    if request.method == "GET":
        return _look(request, request.GET)
    try:
        allow("replay", str(staff_of(request).pk))
        made = blast_enqueue(staff=staff_of(request), **_change(request.POST))
    except (NotAllowed, NotFound):
        raise
    except DeskError as refusal:
        return _look(request, request.POST, refusal=refusal.message)
    messages.success(request, "It has begun. Nothing it does reaches a customer, and nothing is changed.")
    return redirect("blast_radius", made.pk)


@require_POST
@staff_only(*MANAGERS)
def draft(request: HttpRequest) -> HttpResponse:
    """What the form of an article holds, before it is saved: the same look."""
    asked = request.POST.copy()
    asked["kind"], asked["article"] = BlastRadius.Kind.ARTICLE, request.GET.get("article", "")
    return _look(request, asked)


@require_GET
@staff_only(*MANAGERS)
def radius(request: HttpRequest, radius_id: UUID) -> HttpResponse:
    found = _found(radius_id)
    page = request.GET.get("page", "1")
    shown = blast_page(found, request.GET.get("verdict", ""), int(page) if page.isdecimal() and len(page) < 5 else 1)
    context = {
        "desk_page": "evals",
        "title": f"Blast radius: {shown.what}",
        "page": shown,
        "verdict": request.GET.get("verdict", ""),
        "changes": draft_changes(found),
        "goes_on": found.state in LIVE,
    }
    return render(request, "ops/blast/page.html", context)


@require_POST
@staff_only(*MANAGERS)
def stop(request: HttpRequest, radius_id: UUID) -> HttpResponse:
    blast_stop(radius=_found(radius_id), staff=staff_of(request))
    return redirect("blast_radius", radius_id)


def _look(request: HttpRequest, asked: QueryDict, *, refusal: str = "") -> HttpResponse:
    """The change as a page, with the form that begins; 422 with the reason for what cannot be."""
    found, guess = None, None
    try:
        found = blast_of(**_change(asked))
        guess = estimate(found)
    except NotFound:
        raise
    except DeskError as problem:
        refusal = refusal or problem.message
    context = {
        "desk_page": "evals",
        "title": "What would this change?",
        "radius": found,
        "what": what_of(found) if found else "",
        "changes": draft_changes(found) if found else [],
        "estimate": guess,
        "refusal": refusal,
        "days": asked.get("days", DAYS),
        "most": asked.get("most", TURNS),
        "most_turns": MOST,
        "most_days": MOST_DAYS,
    }
    return render(request, "ops/blast/new.html", context, status=422 if refusal else 200)


def _change(asked: QueryDict) -> dict[str, Any]:
    """The arguments of a radius from a form. Raises NotFound, CannotReplay."""
    change: dict[str, Any] = {"days": _number(asked, "days", DAYS), "most": _number(asked, "most", TURNS)}
    match asked.get("kind", ""):
        case BlastRadius.Kind.ARTICLE:
            article = Article.objects.filter(pk=_id(asked.get("article", ""))).first() if asked.get("article") else None
            if article is None and asked.get("article"):
                raise NotFound("There is no such article.")
            given = {name: asked[name] for name in ("slug", *FIELDS) if name in asked}
            return {**change, "article": article, "draft": given}
        case BlastRadius.Kind.PROMPT:
            version = PromptVersion.objects.filter(pk=_id(asked.get("prompt", ""))).first()
            if version is None:
                raise NotFound("There is no such version.")
            return {**change, "prompt": version}
        case BlastRadius.Kind.TOOL:
            return {**change, "tool": asked.get("tool", ""), "tool_as": asked.get("tool_as", BlastRadius.ToolAs.OFF)}
    raise NotFound("There is no such change.")


def _number(asked: QueryDict, name: str, default: int) -> int:
    text = asked.get(name, "") or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise CannotReplay("Days and turns are numbers.")
    return int(text)


def _found(radius_id: UUID) -> BlastRadius:
    rows = BlastRadius.objects.select_related("article", "prompt", "asked_by")
    if (found := rows.filter(pk=radius_id).first()) is None:
        raise NotFound("There is no such blast radius.")
    return found


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is no such record.") from None
