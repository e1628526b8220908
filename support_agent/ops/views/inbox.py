"""The inbox: its list pane, which the thread's page shares."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from support_agent.ops.gates import ANSWERERS, READERS, staff_of, staff_only
from support_agent.ops.inbox_pane import LIST_FIELDS, pane_of
from support_agent.ops.selectors.inbox_filters import InboxFilter
from tickets.access import staff_roles

INBOX = "/admin/inbox/"


@require_GET
@staff_only(*READERS)
def inbox(request: HttpRequest) -> HttpResponse:
    return render(request, "ops/inbox/page.html", inbox_context(request))


@require_GET
@staff_only(*READERS)
def list_pane(request: HttpRequest) -> HttpResponse:
    """The list alone, for a page that looks again; `open` is the conversation that page shows."""
    return render(request, "ops/inbox/list.html", inbox_context(request))


def inbox_context(request: HttpRequest) -> dict[str, Any]:
    """What the list pane shows, under `pane`; for every page that extends ops/inbox/page.html."""
    user = staff_of(request)
    open_id = _open_id(request)
    may_answer = bool(staff_roles(user) & {role.value for role in ANSWERERS})
    pane = pane_of(user, by=_filter_of(request), open_id=open_id, may_answer=may_answer, now=timezone.now())
    return {"desk_page": "inbox", "title": "Inbox", "pane": pane}


def _open_id(request: HttpRequest) -> UUID | None:
    """The conversation beside the list: of the address, or as the page that looks again says."""
    match = request.resolver_match
    given = match.kwargs.get("conversation_id") if match else None
    if isinstance(given, UUID):
        return given
    try:
        return UUID(request.GET.get("open", ""))
    except ValueError:
        return None


def _filter_of(request: HttpRequest) -> InboxFilter:
    """The address's filter; without one that of the page one comes from, so that answering keeps the list as it was."""
    query = request.GET
    came_from = urlsplit(request.headers.get("Referer", ""))
    is_from_inbox = came_from.netloc == request.get_host() and came_from.path.startswith(INBOX)
    if not LIST_FIELDS & set(query) and is_from_inbox and request.path != INBOX:
        query = QueryDict(came_from.query)
    return InboxFilter.read(query)
