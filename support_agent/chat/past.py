"""Earlier conversations: a list, each to read as it was, and the way back into one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from support_agent.chat.conversations import conversation_current
from support_agent.chat.renderers.html import page_items
from support_agent.chat.visitors import remember, visitor_of_request
from tickets.access import conversation_for_visitor, conversations_of_visitor
from tickets.errors import NotFound
from tickets.models import Conversation
from tickets.selectors.conversations import events_latest, first_words
from tickets.services.conversations import can_reopen

Json = dict[str, Any]
LISTED = 50
PAGE = 200  # events


@require_GET
@never_cache
def past(request: HttpRequest) -> HttpResponse:
    """What this customer, or this browser, talked about before, newest first."""
    visitor = visitor_of_request(request)
    current = conversation_current(request.session, visitor)
    found = first_words(conversations_of_visitor(visitor), limit=LISTED)
    context = {"found": found, "current_id": current.pk if current else None}
    return render(request, "chat/past/list.html", context)


@require_GET
@never_cache
def past_one(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """One conversation to read: nothing in it can be changed here. `?before=` pages back."""
    conversation = _own(request, conversation_id)
    before = request.GET.get("before", "")
    if before and (not before.isdecimal() or len(before) > 18):
        raise Http404
    events = events_latest(conversation.pk, before=int(before) if before else None, limit=PAGE)
    context = {
        "conversation": conversation,
        "items": page_items(events),  # without tokens: proposals are confirmed in the chat
        "earlier": events[0]["seq"] if events and events[0]["seq"] > 1 else 0,
        "is_newest": not before,
        "reopens": can_reopen(conversation),
    }
    return render(request, "chat/past/one.html", context)


@require_POST
def resume(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Make it the one the chat shows; the customer's next words reopen it if it is closed."""
    conversation = _own(request, conversation_id)
    if not can_reopen(conversation):
        return redirect("chat-past-one", conversation_id)
    remember(request.session, conversation.pk)
    return redirect("/")


def has_past(request: HttpRequest, current: Conversation | None) -> bool:
    """Whether there is anything to go back to besides the conversation on the page."""
    others = conversations_of_visitor(visitor_of_request(request)).filter(last_seq__gt=0)
    return others.exclude(pk=current.pk if current else None).exists()


def _own(request: HttpRequest, conversation_id: UUID) -> Conversation:
    try:
        return conversation_for_visitor(conversation_id, visitor_of_request(request))
    except NotFound:
        raise Http404 from None
