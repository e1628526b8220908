"""The alerts page, one alert, its routes, and the runbook as a page: for whoever is paged, also on a telephone."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import nh3
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_POST
from markdown_it import MarkdownIt

from support_agent.env import BASE_DIR
from support_agent.models import Alert, AlertRoute
from support_agent.ops.gates import staff_of, staff_only
from support_agent.ops.selectors import alerts as found
from support_agent.runtime.alert_causes import causes_of
from support_agent.runtime.alert_messages import masked
from support_agent.runtime.alert_routes import route_test
from support_agent.runtime.alert_rules import RUNBOOK
from support_agent.runtime.alerts import HANDLERS, alert_acknowledge
from tickets.errors import NotFound
from tickets.models import Role

TESTERS = (Role.OPS, Role.ADMIN)
OUR_PAGES = re.compile(r"<code>(/(?:admin|django-rq)/[\w/#?=&;.-]*)</code>")


@require_GET
@staff_only(*HANDLERS)
def alert_list(request: HttpRequest) -> HttpResponse:
    wanted = found.AlertFilter.read(request.GET)
    page = read_page(request.GET.get("page", ""))
    open_ones, past, has_more = found.alert_rows(wanted, page)
    return render(
        request,
        "ops/alerts/list.html",
        {
            "desk_page": "alerts",
            "title": "Alerts",
            "filter": wanted,
            "open": open_ones,
            "past": past,
            "page": page,
            "newer": wanted.as_query(page=page - 1) if page > 1 else "",
            "older": wanted.as_query(page=page + 1) if has_more else "",
            "counts": found.open_counts(),
            "kinds": found.known_kinds(),
            "severities": Alert.Severity.choices,
            "states": found.STATES.items(),
            "routes": found.route_rows(),
            "next": request.get_full_path(),
        },
    )


@require_GET
@staff_only(*HANDLERS)
def alert_page(request: HttpRequest, alert_id: UUID) -> HttpResponse:
    alert = _alert(alert_id)
    details = [
        (name.replace("_", " "), masked(str(value)))
        for name, value in alert.details.items()
        if value and name != "size"  # what was told last, for our own comparing; the text has the number of now
    ]
    return render(
        request,
        "ops/alerts/one.html",
        {
            "desk_page": "alerts",
            "title": found.row(alert).rule.label,
            "row": found.row(alert),
            "alert": alert,
            "causes": alert.causes or causes_of(alert.details, alert.created_at),  # of info they may never be kept
            "details": details,
            "deliveries": found.deliveries_of(alert),
        },
    )


@require_POST
@staff_only(*HANDLERS)
def acknowledge(request: HttpRequest, alert_id: UUID) -> HttpResponse:
    """Somebody is on it: shown to the others, audited."""
    alert = _alert(alert_id)
    if alert_acknowledge(alert=alert, staff=staff_of(request)):
        messages.success(request, "Noted: you are on it.")
    else:
        messages.info(request, "Somebody was on it already.")
    return redirect("alert", alert_id=alert.pk) if request.POST.get("from") == "page" else redirect("alerts")


@require_POST
@staff_only(*TESTERS)
def test_route(request: HttpRequest, route_id: UUID) -> HttpResponse:
    """Send a test and say at once whether it arrived."""
    route = AlertRoute.objects.filter(pk=route_id).first()
    if route is None:
        raise NotFound("There is no such route.")
    if why := route_test(route=route, staff=staff_of(request)):
        messages.error(request, f"Not sent. {why}")
    else:
        messages.success(request, f"A test was sent: {route}.")
    return redirect("/admin/ops/alerts/#routes")


@require_GET
@staff_only(Role.AGENT, *HANDLERS)
def runbook(request: HttpRequest) -> HttpResponse:
    """docs/runbook.md, where the links of alerts lead."""
    context = {"desk_page": "alerts", "title": "Runbook", "runbook": _runbook(BASE_DIR / RUNBOOK)}
    return render(request, "ops/alerts/runbook.html", context)


def read_page(text: str) -> int:
    return min(max(int(text), 1), 1000) if text.isascii() and text.isdigit() and len(text) < 6 else 1


def _alert(alert_id: UUID) -> Alert:
    alert = Alert.objects.select_related("acknowledged_by__staff_profile").filter(pk=alert_id).first()
    if alert is None:
        raise NotFound("There is no such alert.")
    return alert


@cache
def _runbook(path: Path) -> SafeString:
    """The file as safe HTML: headings with the anchors that alerts name, our own pages as links. It is part of the
    installed version, so it is read once."""
    markdown = MarkdownIt("js-default", {"html": False, "linkify": False}).disable("image")
    tokens = markdown.parse(path.read_text())
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            opening.attrSet("id", slugify(inline.content.replace("`", "")))
    html = nh3.clean(
        markdown.renderer.render(tokens, markdown.options, {}),
        attributes={"a": {"href"}, **{heading: {"id"} for heading in ("h1", "h2", "h3", "h4")}},
        attribute_filter=_keep_whole_links,
        link_rel=None,
    )
    return mark_safe(OUR_PAGES.sub(r'<a href="\1"><code>\1</code></a>', html))  # noqa: S308 - cleaned just above


def _keep_whole_links(tag: str, attribute: str, value: str) -> str | None:
    """Files beside the runbook are not served: their links keep only the text."""
    return None if attribute == "href" and not value.startswith(("https://", "/", "#")) else value
