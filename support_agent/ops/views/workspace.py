"""/admin/workspace/: whose installation it is. Admins change it, leads read it."""

from __future__ import annotations

import re
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from support_agent.env import BASE_DIR
from support_agent.ops.gates import staff_of, staff_only
from support_agent.ops.workspace_form import WorkspaceForm
from tickets import masks, palette
from tickets.access import require_role, staff_roles
from tickets.models import Role, Team, User, Workspace
from tickets.services.workspace import team_change, workspace_change

READERS = (Role.LEAD.value, Role.ADMIN.value)
FOLLOWS = ("accent", "accent-hover", "on-accent", "accent-soft", "focus", "bubble")
OURS = re.compile(rf"--(?:{'|'.join(FOLLOWS)}): light-dark\(.*\);")


class TeamForm(forms.Form):
    name = forms.CharField(max_length=80)
    email = forms.EmailField(required=False, label="Address", help_text="Where its escalations are announced.")


@require_http_methods(["GET", "HEAD", "POST"])
@staff_only(*READERS)
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """The form; a post with `deed=preview` shows what is typed and keeps nothing."""
    staff = staff_of(request)
    row = Workspace.objects.defer("logo", "icon").filter(pk=1).first() or Workspace()
    teams = list(Team.objects.prefetch_related("members"))
    if request.method != "POST":
        return _shown(request, WorkspaceForm.of(row), [(team, _team_form(team)) for team in teams])
    require_role(staff, Role.ADMIN.value)
    form = WorkspaceForm(request.POST, request.FILES)
    team_forms = [(team, _team_form(team, request)) for team in teams]
    is_whole = all([form.is_valid(), *(each.is_valid() for _, each in team_forms)])
    if not is_whole or request.POST.get("deed") == "preview":
        is_wrong = not is_whole and request.POST.get("deed") != "preview"
        return _shown(request, form, team_forms, status=422 if is_wrong else 200)
    messages.success(request, _keep(staff, form, team_forms))
    return redirect("workspace")


@require_GET
@staff_only(*READERS)
@never_cache
def shades(request: HttpRequest) -> JsonResponse:
    """What the page's script shows while a colour is typed: {css, problems: {field: sentence}}."""
    accent, dark, problems = _typed(request)
    return JsonResponse({"css": preview_sheet(accent, dark), "problems": problems})


@require_GET
@staff_only(*READERS)
@never_cache
def shades_css(request: HttpRequest) -> HttpResponse:
    """The colours of the page's preview, as a style sheet."""
    accent, dark, _ = _typed(request)
    return HttpResponse(preview_sheet(accent, dark), content_type="text/css; charset=utf-8")


def preview_sheet(accent: str, accent_dark: str) -> str:
    """The colours of these accents for the preview alone; ours without one."""
    if not accent:
        return f".brand-preview{{{_ours()}}}"
    return palette.stylesheet(accent, accent_dark).replace(":root", ".brand-preview", 1)


def _typed(request: HttpRequest) -> tuple[str, str, dict[str, str]]:
    """(accent, dark accent, what is wrong by field); a colour that is none counts as not given."""
    found: dict[str, str] = {}
    problems: dict[str, str] = {}
    for name in ("accent", "accent_dark"):
        text = request.GET.get(name, "")[:20].strip()
        try:
            found[name] = palette.read_hex(text) if text else ""
        except ValueError as refusal:
            found[name], problems[name] = "", str(refusal)
    for wrong in palette.refusals(found["accent"], found["accent_dark"]):
        problems["accent" if wrong.theme == "light" else "accent_dark"] = str(wrong)
    return found["accent"], found["accent_dark"], problems


@cache
def _ours() -> str:
    return "".join(OURS.findall((BASE_DIR / "static/css/tokens.css").read_text()))


def _team_form(team: Team, request: HttpRequest | None = None) -> TeamForm:
    initial = {"name": team.name, "email": team.email}
    return TeamForm(request.POST if request else None, initial=initial, prefix=f"team-{team.pk}")


def _keep(staff: User, form: WorkspaceForm, teams: list[tuple[Team, TeamForm]]) -> str:
    changed = workspace_change(staff=staff, values=form.values())
    for team, each in teams:
        if team_change(staff=staff, team=team, **each.cleaned_data):
            changed.append(f"team {team.slug}")
    if not changed:
        return "Nothing was changed."
    return f"Saved: {', '.join(name.replace('_', ' ') for name in changed)}. Every page says so within seconds."


def _shown(
    request: HttpRequest, form: WorkspaceForm, teams: list[tuple[Team, TeamForm]], status: int = 200
) -> HttpResponse:
    accents = {name: str(form[name].value() or "") for name in ("accent", "accent_dark")}
    context: dict[str, Any] = {
        "desk_page": "workspace",
        "title": "Workspace",
        "form": form,
        "teams": teams,
        "may_edit": Role.ADMIN.value in staff_roles(staff_of(request)),
        "is_wrong": status != 200,
        "is_typed": form.is_bound,
        "zones": sorted(available_timezones()),
        "accents": accents,
        "shown_name": form["name"].value() or "",
        "shown_greeting": form["greeting"].value() or "",
        "example": _example(str(form["order_number_format"].value() or "")),
    }
    return render(request, "ops/workspace/page.html", context, status=status)


def _example(text: str) -> str:
    """What an order number of the typed format looks like; nothing while it is no format."""
    try:
        return ", ".join(mask.example for mask in masks.masks(text))
    except ValueError:
        return ""
