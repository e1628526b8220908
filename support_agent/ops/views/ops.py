"""The operations page: how the assistant does, and what leads, ops and admins may turn."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from support_agent.models import PromptVersion, Switch
from support_agent.ops.figures import figures
from support_agent.ops.gates import staff_of, staff_only
from support_agent.ops.selectors import safety
from support_agent.ops.selectors.prompts import FILE, NAMES, prompt_page
from support_agent.ops.selectors.pulse import models_of, paths_of, pulses
from support_agent.ops.selectors.tool_health import tool_health
from support_agent.ops.spans import LENGTHS, Span
from support_agent.runtime.controls import controls, switch_off, switch_on, switch_override, tool_categories
from support_agent.runtime.prompting import MAX_TOKENS, prompt_activate, prompt_save, prompt_use_file
from tickets.errors import DeskError, NotFound
from tickets.models import Role, User

MANAGERS = (Role.LEAD, Role.OPS, Role.ADMIN)


@require_GET
@staff_only(*MANAGERS)
def page(request: HttpRequest) -> HttpResponse:
    return _page(request)


@require_POST
@staff_only(*MANAGERS)
def turn_switch(request: HttpRequest) -> HttpResponse:
    """Turn a switch on or off, or override it for four hours; each needs a reason and is audited."""
    try:
        messages.success(request, _turn(request, staff_of(request)))
    except DeskError as refusal:
        messages.error(request, refusal.message)
    return _back(request, "controls")


@require_POST
@staff_only(*MANAGERS)
def save_prompt(request: HttpRequest) -> HttpResponse:
    """Save a version, not yet active, and show what it would change; a refused text is not lost."""
    name, text, note = (request.POST.get(field, "").replace("\x00", "") for field in ("name", "text", "note"))
    text = "\n".join(text.splitlines())  # a form's line ends are CRLF
    try:
        made = prompt_save(name=_prompt_name(name), text=text, note=note, staff=staff_of(request))
    except DeskError as refusal:
        return _page(request, prompt=name, draft=text, refusal=refusal.message)
    messages.success(request, f"Saved as version {made.number} of {name}. It does not speak before it is activated.")
    return _back(request, "prompts", prompt=name, version=str(made.number))


@require_POST
@staff_only(*MANAGERS)
def activate_prompt(request: HttpRequest) -> HttpResponse:
    """Let a version, or the file, speak from the next turn on."""
    name, wanted = _prompt_name(request.POST.get("name", "")), request.POST.get("version", "")
    if wanted == FILE:
        prompt_use_file(name=name, staff=staff_of(request))
        messages.success(request, f"The file of {name} speaks again.")
    else:
        version = PromptVersion.objects.filter(name=name, pk=_id(wanted)).first()
        if version is None:
            raise NotFound("There is no such version.")
        prompt_activate(version=version, staff=staff_of(request))
        messages.success(request, f"Version {version.number} of {name} speaks from the next turn on.")
    return _back(request, "prompts", prompt=name)


def _page(request: HttpRequest, *, prompt: str = "", draft: str = "", refusal: str = "") -> HttpResponse:
    span = Span.read(request.GET.get("span", ""))
    now, before = pulses(span)
    switches = safety.switch_rows(span.end)
    disabled = frozenset(row.tool for row in switches if row.tool and not row.is_overridden)
    shown = prompt_page(prompt or request.GET.get("prompt", ""), request.GET.get("version", ""))
    return render(
        request,
        "ops/ops.html",
        {
            "desk_page": "ops",
            "title": "Operations",
            "span": span,
            "spans": list(LENGTHS),
            "figures": figures(now, before),
            "paths": paths_of(span),
            "models": models_of(span),
            "tools": tool_health(span, disabled),
            "switches": switches,
            "on": [row for row in switches if row.state == "on"],
            "to_disable": sorted(tool_categories().keys() - {row.tool for row in switches}),
            "readings": safety.readings(span.end),
            "surfaces": safety.surface_rows(controls().limits, span.end),
            "near_limit": safety.customers_near_limit(span.end),
            "alerts": safety.latest_alerts(),
            "prompt": shown,
            "prompts": NAMES,
            "max_tokens": MAX_TOKENS,
            "draft": draft,
            "refusal": refusal,
        },
        status=422 if refusal else 200,
    )


def _turn(request: HttpRequest, staff: User) -> str:
    """Do what the form says; what happened, in one sentence. Raises DeskError."""
    name, tool, deed, reason = (request.POST.get(field, "") for field in ("name", "tool", "deed", "reason"))
    if name not in Switch.Name.values or (tool not in tool_categories()) == (name == Switch.Name.DISABLE_TOOL):
        raise DeskError("There is no such switch.")
    label = f"{Switch.Name(name).label}{f', {tool}' if tool else ''}"
    if deed == "on":
        switch_on(name=name, tool=tool, staff=staff, reason=reason)
        return f"On: {label}."
    if deed == "off":
        switch_off(name=name, tool=tool, staff=staff, reason=reason)
        return f"Off: {label}."
    switch = Switch.objects.filter(name=name, tool=tool).first()
    if switch is None or deed != "override":
        raise DeskError("This switch is off already.")
    switch_override(switch=switch, staff=staff, reason=reason)
    return f"Overridden for four hours: {label}."


def _back(request: HttpRequest, part: str, **more: str) -> HttpResponse:
    """To the page as it was, at the part that was changed."""
    kept = {"span": Span.read(request.GET.get("span", "")).name} | more
    return redirect(f"{reverse('ops')}?{urlencode(kept)}#{part}")


def _prompt_name(name: str) -> str:
    if name not in NAMES:
        raise NotFound("There is no such prompt.")
    return name


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is no such version.") from None
