"""Tickets as a file, for leads, ops and admins: without personal data, as every export of the desk's pages."""

from __future__ import annotations

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponseBadRequest
from django.http.response import HttpResponseBase
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET

from support_agent.ops.exports import csv_file, json_file
from support_agent.ops.gates import MANAGERS, staff_only
from support_agent.ops.selectors.tickets import COLUMNS, TicketFilter, ticket_rows
from tickets.models import Ticket


@require_GET
@staff_only(*MANAGERS)
def ticket_csv(request: HttpRequest) -> HttpResponseBase:
    """`?since=2026-11-01&before=2026-12-01&status=open`, each of them optional."""
    try:
        rows = ticket_rows(_read(request))
    except ValueError as error:
        return HttpResponseBadRequest(str(error), content_type="text/plain")
    return csv_file("tickets.csv", COLUMNS, (row.values() for row in rows))


@require_GET
@staff_only(*MANAGERS)
def ticket_json(request: HttpRequest) -> HttpResponseBase:
    try:
        return json_file("tickets.json", ticket_rows(_read(request)))
    except ValueError as error:
        return HttpResponseBadRequest(str(error), content_type="text/plain")


def _read(request: HttpRequest) -> TicketFilter:
    status = request.GET.get("status", "") or request.GET.get("status__exact", "")
    if status and status not in Ticket.Status.values:
        raise ValueError(f"status must be one of {', '.join(Ticket.Status.values)}.")
    return TicketFilter(_day(request, "since"), _day(request, "before"), status)


def _day(request: HttpRequest, name: str) -> datetime | None:
    text = request.GET.get(name, "")
    if not text:
        return None
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise ValueError(f"{name} must be a day such as 2026-11-01.")
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
