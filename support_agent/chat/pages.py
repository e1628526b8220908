"""The chat page and the small requests it makes besides its socket."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from support_agent.chat.conversations import conversation_begin, conversation_current
from support_agent.chat.renderers.html import page_items
from support_agent.chat.renderers.items import place_context
from support_agent.chat.tokens import with_tokens
from support_agent.chat.visitors import visitor_of_request
from support_agent.chat.words import SCRIPT_WORDS
from support_agent.env import env
from support_agent.models import Switch
from support_agent.privacy.retention import days_kept
from support_agent.runtime.controls import controls
from tickets import hours
from tickets.access import conversation_for_visitor
from tickets.errors import DeskError, NotFound, RateLimited
from tickets.languages import spoken
from tickets.models import Conversation, Customer
from tickets.selectors.conversations import events_latest
from tickets.selectors.waits import places
from tickets.services.conversations import can_reopen
from tickets.services.locales import conversation_speak
from tickets.services.thread_links import recipient

Json = dict[str, Any]
FIRST_PAGE = 100  # events
OPENERS = (
    _("Where is my order?"),
    _("How do I return something?"),
    _("My Trailmate won’t sync"),
    _("What does shipping cost?"),
)


@require_GET
@never_cache
@ensure_csrf_cookie
def chat(request: HttpRequest) -> HttpResponse:
    """The chat, with the latest conversation of this visitor already in the page."""
    visitor = visitor_of_request(request)
    conversation = conversation_current(request.session, visitor)
    customer = Customer.objects.filter(pk=visitor.customer_id).first() if visitor.customer_id else None
    context: Json = {
        "demo_model": env.demo_model,
        "openers": OPENERS,
        "words": SCRIPT_WORDS,
        "paused": conversation is None and controls().has(Switch.Name.PAUSE_NEW),
        "known": customer is not None or bool(conversation and conversation.customer_id),
        "first_name": customer.name.split()[0] if customer and customer.name else "",
        "cursor": 0,
        **_hours(),
    }
    if conversation is not None:
        conversation_speak(conversation=conversation, language=spoken())  # as the page around it
        context |= _history(conversation)
    return render(request, "chat/page.html", context)


@require_GET
@never_cache
def earlier(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The page of events before `?before=`, as a fragment above the log."""
    before = request.GET.get("before", "")
    try:
        conversation = conversation_for_visitor(conversation_id, visitor_of_request(request))
    except NotFound:
        raise Http404 from None
    if not before.isdecimal() or len(before) > 18:
        raise Http404
    events = events_latest(conversation.pk, before=int(before), limit=FIRST_PAGE)
    events = with_tokens(events, conversation.pk, conversation.customer_id)
    context = {"conversation": conversation, "items": page_items(events), "earlier": _first_seq(events)}
    return render(request, "chat/earlier.html", context)


@require_POST
def start(request: HttpRequest) -> JsonResponse:
    """Begin a conversation, with the first message or wish: {id}. A page view alone begins none."""
    try:
        conversation = conversation_current(request.session, visitor_of_request(request))
        if conversation is None:
            conversation = conversation_begin(request)
    except DeskError as error:
        return JsonResponse({"code": error.code, "message": error.message}, status=_status_of(error))
    return JsonResponse({"id": str(conversation.pk)})


@require_POST
def new(request: HttpRequest) -> HttpResponse:
    """Leave a closed conversation for a fresh one."""
    try:
        conversation_begin(request)
    except DeskError as error:
        return render(request, "chat/refused.html", {"message": error.message}, status=_status_of(error))
    return redirect("/")


@require_GET
def privacy(request: HttpRequest) -> HttpResponse:
    return render(request, "chat/privacy.html", {"demo": settings.DEMO, "kept": days_kept()})


def _hours() -> Json:
    """When people answer, and when they are back."""
    now = timezone.now()
    opens = None if hours.is_open(now) else hours.next_opening(now)
    return {"hours": hours.WORDS, "people_back": opens, "people_back_words": hours.moment(opens) if opens else ""}


def _history(conversation: Conversation) -> Json:
    events = events_latest(conversation.pk, limit=FIRST_PAGE)
    statuses = [event for event in events if event["type"] == "status"]
    return {
        "conversation": conversation,
        "cursor": events[-1]["seq"] if events else 0,
        "items": page_items(with_tokens(events, conversation.pk, conversation.customer_id)),
        "earlier": _first_seq(events),
        **(statuses[-1] if statuses else {"status": conversation.status}),
        **_place(conversation),
        "reopens": can_reopen(conversation),
        "has_address": bool(recipient(conversation)),
    }


def _place(conversation: Conversation) -> Json:
    """Where a waiting conversation stands in its line now, not when the last event said so."""
    if conversation.status != Conversation.Status.WAITING:
        return {}
    place = places({conversation.pk}, timezone.now()).get(conversation.pk)
    return place_context(place.as_frame()) if place else {}


def _first_seq(events: list[Json]) -> int:
    """The seq to page back from, or 0 when the first event is already here."""
    return events[0]["seq"] if events and events[0]["seq"] > 1 else 0


def _status_of(error: DeskError) -> int:
    return 429 if isinstance(error, RateLimited) else 503
