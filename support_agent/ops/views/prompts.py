"""The prompts page: each prompt's versions, what two differ in, what each came to; save, activate, roll back."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from support_agent.models import EvalRun, PromptVersion
from support_agent.ops.gates import MANAGERS, staff_of, staff_only
from support_agent.ops.selectors.gates import standings
from support_agent.ops.selectors.prompt_figures import DEFAULT_SPAN, FEW, SPANS, version_figures
from support_agent.ops.selectors.prompts import FILE, NAMES, prompt_page
from support_agent.runtime.eval_runs import run_enqueue
from support_agent.runtime.prompting import (
    MAX_REASON,
    MAX_TOKENS,
    MIN_REASON,
    may_override,
    prompt_activate,
    prompt_before,
    prompt_save,
    prompt_use_file,
)
from support_agent.runtime.ratelimit import allow
from tickets.errors import DeskError, NotAllowed, NotFound


@require_GET
@staff_only(*MANAGERS)
def page(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_POST
@staff_only(*MANAGERS)
def save_prompt(request: HttpRequest) -> HttpResponse:
    """Save a version, not yet active, and show what it would change; a refused text is not lost."""
    name, text, note = (request.POST.get(field, "").replace("\x00", "") for field in ("name", "text", "note"))
    text = "\n".join(text.splitlines())  # a form's line ends are CRLF
    try:
        made = prompt_save(name=_prompt_name(name), text=text, note=note, staff=staff_of(request))
    except DeskError as refusal:
        if isinstance(refusal, NotFound):
            raise
        return _page(request, prompt=name, draft=text, note=note, refusal=refusal.message)
    messages.success(request, f"Saved as version {made.number} of {name}. It does not speak before it is activated.")
    return _back(prompt=name, version=str(made.number))


@require_POST
@staff_only(*MANAGERS)
def activate_prompt(request: HttpRequest) -> HttpResponse:
    """Let a version, or the file, speak from the next turn on."""
    name, wanted = _prompt_name(request.POST.get("name", "")), request.POST.get("version", "")
    if wanted == FILE:
        prompt_use_file(name=name, staff=staff_of(request))
        messages.success(request, f"The file of {name} speaks again.")
        return _back(prompt=name)
    version = _version(name, wanted)
    try:
        prompt_activate(version=version, staff=staff_of(request), reason=request.POST.get("reason", ""))
    except DeskError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"Version {version.number} of {name} speaks from the next turn on.")
    return _back(prompt=name)


@require_POST
@staff_only(*MANAGERS)
def run_gate(request: HttpRequest) -> HttpResponse:
    """Start the release gate for a version; the page follows it."""
    name = _prompt_name(request.POST.get("name", ""))
    version = _version(name, request.POST.get("version", ""))
    try:
        allow("eval_run", str(staff_of(request).pk))
        run_enqueue(kind=EvalRun.Kind.GATE, prompt=version, staff=staff_of(request))
    except NotAllowed:
        raise
    except DeskError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"The release gate runs for version {version.number} of {name}.")
    return _back(prompt=name, version=str(version.number))


def _page(
    request: HttpRequest, *, prompt: str = "", draft: str = "", note: str = "", refusal: str = ""
) -> HttpResponse:
    asked = request.GET
    shown = prompt_page(prompt or asked.get("prompt", ""), asked.get("version", ""), asked.get("against", ""))
    span = asked.get("span", "") if asked.get("span", "") in SPANS else DEFAULT_SPAN
    now = timezone.now()
    return render(
        request,
        "ops/prompts/page.html",
        {
            "desk_page": "ops",
            "title": "Prompts",
            "prompt": shown,
            "prompts": NAMES,
            "before": prompt_before(shown.name) if shown.active else None,
            "figures": version_figures(now - SPANS[span], now) if shown.name == "assistant" else None,
            "span": span,
            "spans": list(SPANS),
            "few": FEW,
            "standings": standings(shown.versions),
            "may_override": may_override(staff_of(request)),
            "min_reason": MIN_REASON,
            "max_reason": MAX_REASON,
            "max_tokens": MAX_TOKENS,
            "version": asked.get("version", "") or shown.offered,
            "against": asked.get("against", ""),
            "draft": draft,
            "note": note,
            "refusal": refusal,
        },
        status=422 if refusal else 200,
    )


def _back(**query: str) -> HttpResponse:
    return redirect(f"{reverse('prompts')}?{urlencode(query)}")


def _prompt_name(name: str) -> str:
    if name not in NAMES:
        raise NotFound("There is no such prompt.")
    return name


def _version(name: str, key: str) -> PromptVersion:
    found = PromptVersion.objects.filter(name=name, pk=_id(key)).first()
    if found is None:
        raise NotFound("There is no such version.")
    return found


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is no such version.") from None
