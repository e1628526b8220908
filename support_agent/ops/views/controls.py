"""The controls: what leads, ops and admins may turn, what it is now, and the latest alerts."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from support_agent.models import SurfaceMode, Switch
from support_agent.ops.gates import MANAGERS, staff_of, staff_only
from support_agent.ops.selectors import safety
from support_agent.ops.selectors.budgets import system_limit
from support_agent.runtime.controls import (
    controls,
    mode_set,
    switch_off,
    switch_on,
    switch_override,
    tool_categories,
)
from support_agent.runtime.modes import answering_by
from tickets.access import staff_roles
from tickets.errors import DeskError
from tickets.models import Role, User


@require_GET
@staff_only(*MANAGERS)
def page(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    switches = safety.switch_rows(now)
    return render(
        request,
        "ops/controls.html",
        {
            "desk_page": "ops",
            "title": "Controls",
            "now": now,
            "switches": switches,
            "on": [row for row in switches if row.state == "on"],
            "to_disable": sorted(tool_categories().keys() - {row.tool for row in switches}),
            "readings": safety.readings(now),
            "surfaces": safety.surface_rows(controls().limits, now),
            "system": system_limit(controls(), now),
            "modes": safety.mode_rows(),
            "may_set_modes": bool(staff_roles(staff_of(request)) & {Role.OPS.value, Role.ADMIN.value}),
            "mode_choices": SurfaceMode.Mode.choices,
            "rest_choices": SurfaceMode.Rest.choices,
            "near_limit": safety.customers_near_limit(now),
            "alerts": safety.latest_alerts(),
        },
    )


@require_POST
@staff_only(Role.OPS, Role.ADMIN)
def set_mode(request: HttpRequest) -> HttpResponse:
    """Who answers on a surface, with a reason; audited."""
    given = {name: request.POST.get(name, "") for name in ("surface", "mode", "rest", "reason")}
    share = request.POST.get("percent", "").strip()
    try:
        if not (share.isdecimal() and share.isascii() and len(share) <= 3):
            raise DeskError("The share is a whole number from 0 to 100.")
        row = mode_set(staff=staff_of(request), percent=int(share), **given)
        messages.success(request, f"{row.get_surface_display().capitalize()}: {answering_by(row).words}.")
    except DeskError as refusal:
        messages.error(request, refusal.message)
    return redirect(f"{reverse('ops_controls')}#modes")


@require_POST
@staff_only(*MANAGERS)
def turn_switch(request: HttpRequest) -> HttpResponse:
    """Turn a switch on or off, or override it for four hours; each needs a reason and is audited."""
    try:
        messages.success(request, _turn(request, staff_of(request)))
    except DeskError as refusal:
        messages.error(request, refusal.message)
    return redirect(f"{reverse('ops_controls')}#switches")


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
