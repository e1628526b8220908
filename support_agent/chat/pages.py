"""The chat page and the small requests it makes besides its socket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from csp.constants import SELF
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from support_agent.chat.conversations import conversation_begin, conversation_current
from support_agent.chat.openers import openers_for
from support_agent.chat.past import has_past
from support_agent.chat.polling import state_of
from support_agent.chat.renderers.html import page_items
from support_agent.chat.renderers.items import fold, place_context
from support_agent.chat.thumbs import with_thumbs
from support_agent.chat.tokens import with_tokens
from support_agent.chat.visitors import visitor_of_request, writer_of
from support_agent.chat.words import SCRIPT_WORDS
from support_agent.env import env
from support_agent.models import Switch
from support_agent.privacy.retention import days_kept
from support_agent.runtime.careful import answering_of, people_answer_on
from support_agent.runtime.controls import controls
from support_agent.runtime.modes import LIVE, surface_of_customer
from tickets import hours
from tickets.access import conversation_for_visitor
from tickets.errors import DeskError, NotFound, RateLimited
from tickets.languages import spoken
from tickets.markdown import render as render_markdown
from tickets.models import Conversation, Customer
from tickets.selectors.conversations import events_latest
from tickets.selectors.read_marks import seen_by_staff
from tickets.selectors.waits import places
from tickets.services.attachments import MAX_BYTES, MAX_PER_MESSAGE
from tickets.services.conversations import can_reopen
from tickets.services.locales import conversation_speak
from tickets.services.thread_links import recipient
from tickets.workspace import workspace

Json = dict[str, Any]
FIRST_PAGE = 100  # events
MAX_ASKED = 400  # characters of a question that another page puts into the field


@dataclass(frozen=True, slots=True)
class Refusal:
    """A form that was refused: what is wrong, and its fields as they were typed."""

    message: str
    typed: dict[str, str]

    @property
    def about(self) -> str:
        """The key or the kind of the item whose form it was; empty for the forms round the log."""
        match self.typed.get("type"):
            case "confirm" | "undo" | "renew":
                return f"action-{self.typed.get('action_id', '')}"
            case "verify":
                return "verification"
            case "survey":
                return "survey"
        return ""


@require_GET
@never_cache
def chat(request: HttpRequest) -> HttpResponse:
    """The chat, with the latest conversation of this visitor already in the page."""
    return chat_page(request)


def chat_page(request: HttpRequest, refusal: Refusal | None = None, status: int = 200) -> HttpResponse:
    """The page; after a form without scripts that was refused, with what is wrong and what was typed."""
    visitor = visitor_of_request(request)
    conversation = conversation_current(request.session, visitor)
    customer = Customer.objects.filter(pk=visitor.customer_id).first() if visitor.customer_id else None
    csrf_token = get_token(request)  # with the cookie, also for the scripts
    own: Json = {
        "asked": request.GET.get("ask", "").replace("\x00", "")[:MAX_ASKED],
        "owner": writer_of(visitor),
        "has_past": has_past(request, conversation),
    }
    context = chat_context(conversation, customer, csrf_token=csrf_token, refusal=refusal) | own
    page = render(request, "chat/page.html", context, status=status)
    page._csp_update = {"frame-src": [SELF]}  # type: ignore[attr-defined]  # django-csp reads it; the frame is chat/plain.py: news
    return page


def chat_context(
    conversation: Conversation | None,
    customer: Customer | None,
    *,
    csrf_token: str = "",
    refusal: Refusal | None = None,
) -> Json:
    """What the chat's template needs, on its own page and in the widget's frame, which has no forms of its own."""
    context: Json = {
        "demo_model": env.demo_model,
        "openers": openers_for(customer, general_openers()),
        "greeting": workspace().greeting,
        "most_images": MAX_PER_MESSAGE,
        "most_bytes": MAX_BYTES,
        "words": SCRIPT_WORDS,
        "people_answer": _people_answer(conversation, customer),
        "paused": conversation is None and controls().has(Switch.Name.PAUSE_NEW),
        "known": customer is not None or bool(conversation and conversation.customer_id),
        "first_name": customer.name.split()[0] if customer and customer.name else "",
        "cursor": 0,
        "form_ids": (uuid4(), uuid4()),
        "csrf_token": csrf_token,
        "refusal": refusal,
        **_hours(),
    }
    if conversation is not None:
        conversation_speak(conversation=conversation, language=spoken())  # as the page around it
        context |= _history(conversation, refusal, csrf_token)
    return context


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
    events = with_thumbs(with_tokens(events, conversation.pk, conversation.customer_id))
    items = page_items(events, csrf_token=get_token(request))
    context = {"conversation": conversation, "items": items, "earlier": _first_seq(events)}
    is_fragment = request.headers.get("HX-Request") == "true"
    return render(request, "chat/earlier.html" if is_fragment else "chat/earlier_page.html", context)


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


@require_GET
def privacy(request: HttpRequest) -> HttpResponse:
    house = workspace()
    context = {"demo": settings.DEMO, "kept": days_kept(), "privacy_email": house.privacy_email or house.email}
    if house.privacy_text:
        context["own_text"] = mark_safe(render_markdown(house.privacy_text))  # noqa: S308 - sanitised there
    return render(request, "chat/privacy.html", context)


def general_openers() -> list[str]:
    """The workspace's own, or ours."""
    house = workspace()
    return list(house.openers) or [
        _("Where is my order?"),
        _("How do I return something?"),
        _("My Trailmate won’t sync") if house.is_default else _("Something I bought does not work"),
        _("What does shipping cost?"),
    ]


def _people_answer(conversation: Conversation | None, customer: Customer | None) -> bool:
    """Whether no assistant answers what they write next, as far as that is known before a conversation begins."""
    if conversation is not None:
        return answering_of(conversation) != LIVE
    return people_answer_on(surface_of_customer(customer))


def _hours() -> Json:
    """When people answer, and when they are back."""
    now = timezone.now()
    opens = None if hours.is_open(now) else hours.next_opening(now)
    return {
        "hours": hours.words(),
        "people_back": opens,
        "people_back_words": hours.moment(opens, now) if opens else "",
    }


def _history(conversation: Conversation, refusal: Refusal | None, csrf_token: str) -> Json:
    told: dict[str, Json] = {}
    events = events_latest(conversation.pk, limit=FIRST_PAGE)
    statuses = [event for event in events if event["type"] == "status"]
    if refusal and any(refusal.about in (item.key, item.kind) for item in fold(events)):
        told[refusal.about] = {"refusal": refusal.message, "typed": refusal.typed}
    if refusal and refusal.typed.get("type") == "contact":
        told["promise"] = {"typed": refusal.typed}
    return {
        "conversation": conversation,
        "cursor": events[-1]["seq"] if events else 0,
        "items": page_items(
            with_thumbs(with_tokens(events, conversation.pk, conversation.customer_id)), told, csrf_token=csrf_token
        ),
        "earlier": _first_seq(events),
        "refused_in_log": bool(refusal and refusal.about in told),
        "is_thinking": bool(state_of(conversation)),
        **(statuses[-1] if statuses else {"status": conversation.status}),
        **_place(conversation),
        "reopens": can_reopen(conversation),
        "has_address": bool(recipient(conversation)),
        "delivery": _delivery(conversation, events),
    }


def _delivery(conversation: Conversation, events: list[Json]) -> str:
    """What the mark under the newest message says, while it is the customer's own."""
    shown = [event for event in events if event["type"] in ("message", "action", "status", "promise", "survey")]
    if not shown or shown[-1].get("message", {}).get("role") != "customer":
        return ""
    return "seen" if seen_by_staff(conversation) >= shown[-1]["seq"] else "sent"


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
