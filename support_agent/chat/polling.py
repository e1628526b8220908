"""The chat where no socket stands: a frame by POST, and by GET the events after a seq, as the socket's own fragments.

Nothing is held open: the page asks again after `X-Again` seconds. docs/transport.md.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST
from ninja.utils import check_csrf

from support_agent.addresses import client_address
from support_agent.chat import commands, frames
from support_agent.chat.cursors import SEEN_EVERY
from support_agent.chat.renderers.html import HtmlRenderer
from support_agent.chat.tokens import with_tokens
from support_agent.chat.visitors import bearer_of, has_credentials, remember, visitor_of_request
from support_agent.models import Turn
from support_agent.origins import origin_allowed
from support_agent.runtime.ratelimit import allow
from tickets.access import Visitor, conversation_for_visitor
from tickets.errors import DeskError, NotFound, RateLimited
from tickets.models import Conversation
from tickets.selectors.conversations import PAGE, events_after
from tickets.selectors.waits import places
from tickets.services.conversations import customers_seen

Json = dict[str, Any]
View = Callable[[HttpRequest, UUID, Visitor], HttpResponse]
AT_WORK = (Turn.State.QUEUED, Turn.State.RUNNING)
ANSWERED = (Conversation.Status.AI, Conversation.Status.WAITING)
PACE = {"": 4, Conversation.Status.WAITING.value: 2, Conversation.Status.HUMAN.value: 1, "thinking": 1}
"""Seconds until the next look: while nothing is going on, while somebody waits, talks to a person, or is answered."""


def for_its_own(view: View) -> Callable[[HttpRequest, UUID], HttpResponse]:
    """Who asks: a bearer token alone, or the session's cookie with CSRF. 403 a foreign origin, 401 nobody, 404 foreign
    and missing alike, 429 too often."""

    @csrf_exempt  # asked for below, where no token stands alone
    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
        if not _is_from_here(request):
            return HttpResponse(status=403)
        token = bearer_of(request)
        if not token and (refusal := check_csrf(request)) is not None:
            return refusal
        visitor = Visitor(token=token, address=client_address(request.META)) if token else visitor_of_request(request)
        try:
            return view(request, conversation_id, visitor)
        except (NotFound, commands.Gone):
            return HttpResponse(status=404 if has_credentials(visitor) else 401)
        except RateLimited as error:
            return HttpResponse(status=429, headers={"Retry-After": str(error.retry_after)})

    return guarded


@require_POST
@for_its_own
def frame(request: HttpRequest, conversation_id: UUID, visitor: Visitor) -> HttpResponse:
    """Carry out one frame, JSON or a form: what the socket would have answered, refusals included."""
    renderer = HtmlRenderer(conversation_id)
    if len(text := _text_of(request)) > frames.MAX_BYTES:
        return HttpResponse(status=413)
    try:
        found = frames.parse(text, lenient=renderer.lenient)
    except frames.FrameError as error:
        conversation_for_visitor(conversation_id, visitor)
        about = {"client_message_id": error.client_message_id}
        return _fragments(renderer.error(frames.error_frame(error.code, error.message, about), about))
    try:
        replies = commands.carry_out(
            visitor,
            conversation_id,
            found,
            remember=forget_it if visitor.token else partial(remember, request.session),
            renew=commands.nothing if visitor.token else request.session.cycle_key,
        )
    except DeskError as error:
        return _refused(renderer, error, found.model_dump(mode="json"))
    return _fragments(*[renderer.frame(reply) for reply in replies])


@require_GET
@for_its_own
def events(request: HttpRequest, conversation_id: UUID, visitor: Visitor) -> HttpResponse:
    """What came after `?after=`, a page of it at most, and what goes on now if that is not `?state=`; else 204."""
    conversation = conversation_for_visitor(conversation_id, visitor)
    allow("poll", str(conversation_id))
    note_seen(conversation)
    after = min(number(request.GET.get("after", "")), conversation.last_seq)
    told = events_after(conversation_id, after) if after < conversation.last_seq else []
    told = with_tokens(told, conversation_id, conversation.customer_id)
    renderer, state = HtmlRenderer(conversation_id), state_of(conversation)
    shown = [] if "state" in request.GET else [renderer.frame({"type": "ready"})]
    shown += [renderer.event(event) for event in told]
    if state != request.GET.get("state", ""):
        shown.append(renderer.frame({"type": "activity", "state": state or "idle"}))
    if "place" in request.GET:
        shown.append(_place(renderer, conversation))
    answer = _fragments(*shown)
    answer["X-Last-Seq"] = str(max([conversation.last_seq, *(event["seq"] for event in told)]))
    answer["X-State"] = state
    answer["X-Again"] = "0" if len(told) == PAGE else str(PACE.get(state or conversation.status, PACE[""]))
    return answer


def state_of(conversation: Conversation) -> str:
    """`thinking` while a turn is on its way, else nothing."""
    if conversation.status not in ANSWERED:
        return ""
    return "thinking" if Turn.objects.filter(conversation=conversation, state__in=AT_WORK).exists() else ""


def note_seen(conversation: Conversation) -> None:
    """Its customer is there, as with an open socket (chat/cursors.py)."""
    seen_at = conversation.customer_seen_at
    if seen_at is None or (timezone.now() - seen_at).total_seconds() >= SEEN_EVERY:
        customers_seen([conversation.pk])


def number(text: str) -> int:
    """A seq as an address has it; 0 for anything else."""
    return int(text) if text.isdecimal() and len(text) <= 18 else 0


def forget_it(_: UUID) -> None:
    """Who brings a token keeps the next one itself: it is in the answer."""


def _is_from_here(request: HttpRequest) -> bool:
    origin, own = request.headers.get("Origin"), f"{request.scheme}://{request.get_host()}"
    return origin is None or origin_allowed(origin, own, settings.ALLOWED_ORIGINS)


def _text_of(request: HttpRequest) -> str:
    if request.content_type == "application/json":
        return request.body.decode("utf-8", "replace")
    return frames.of_form(request.POST)


def _place(renderer: HtmlRenderer, conversation: Conversation) -> str | None:
    if conversation.status != Conversation.Status.WAITING:
        return None
    place = places({conversation.pk}, timezone.now()).get(conversation.pk)
    return renderer.frame(place.as_frame()) if place else None


def _refused(renderer: HtmlRenderer, error: DeskError, about: Json) -> HttpResponse:
    """The fragments are for the page also at a 429; only that has a status of its own."""
    retry_after = error.retry_after if isinstance(error, RateLimited) else None
    answer = _fragments(renderer.error(frames.error_frame(error.code, error.message, about, retry_after), about))
    if retry_after is not None:
        answer.status_code = 429
        answer["Retry-After"] = str(retry_after)
    return answer


def _fragments(*texts: str | None) -> HttpResponse:
    text = "\n".join(found for found in texts if found)
    return HttpResponse(text, status=200 if text else 204, headers={"X-Fragments": "1"})
