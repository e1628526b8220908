"""The chat by forms alone: one address takes every form of the page, as its socket would, and leads back to the page.

What is refused is said on the page, where it belongs, with what was typed. `news` is a little frame in the page that
looks again by itself, so that nobody's half-written words are lost to a reload. docs/transport.md.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from csp.constants import SELF
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from support_agent.chat import commands, frames
from support_agent.chat.conversations import conversation_begin, conversation_current
from support_agent.chat.pages import Refusal, chat_page
from support_agent.chat.polling import note_seen, number
from support_agent.chat.visitors import remember, visitor_of_request
from support_agent.runtime.ratelimit import allow
from tickets.access import Visitor, conversation_for_visitor
from tickets.errors import Conflict, DeskError, NotFound, RateLimited
from tickets.models import Conversation
from tickets.services.conversations import read_mark
from tickets.services.messages import check_text

Json = dict[str, Any]
Refused = DeskError | frames.FrameError
STATUS = {"rate_limited": 429, "not_found": 404, "conflict": 409, "expired": 410, "paused": 503}
BEGIN = {"message", "human"}
"""What a conversation begins with."""
NEWS_EVERY, NEWS_SELDOM = 4, 20  # seconds: with a person awaited or there, and else


class SeeOther(HttpResponseRedirect):
    status_code = 303


@require_POST
@never_cache
@sensitive_post_parameters("code", "token")
def do(request: HttpRequest) -> HttpResponse:
    """Carry out one form as a frame: 303 to where its outcome stands, or the page with the refusal."""
    frame = None
    try:
        frame = frames.parse(frames.of_form(request.POST), lenient=True)
        conversation = _conversation_of(request, frame)
        if conversation is None:
            return SeeOther("/")
        replies = commands.carry_out(
            visitor_of_request(request),
            conversation.pk,
            frame,
            remember=partial(remember, request.session),
            renew=request.session.cycle_key,
        )
    except (DeskError, frames.FrameError) as error:
        return _refused(request, _in_words(error, frame))
    except commands.Gone:
        return _refused(request, NotFound(_("This conversation is not open to you any more. Send again to begin one.")))
    return SeeOther(_place_of(frame, replies))


@require_GET
@never_cache
@xframe_options_sameorigin
def news(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Whether there is more than the page around it shows (`?after=`). That it asks says that the page is looked at."""
    try:
        conversation = conversation_for_visitor(conversation_id, visitor_of_request(request))
    except NotFound:
        raise Http404 from None
    allow("poll", str(conversation_id))
    after = number(request.GET.get("after", ""))
    note_seen(conversation)
    read_mark(conversation=conversation, seq=after)
    with_people = conversation.status in (Conversation.Status.WAITING, Conversation.Status.HUMAN)
    every = NEWS_EVERY if with_people else NEWS_SELDOM
    page = render(request, "chat/news.html", {"is_news": conversation.last_seq > after, "every": every})
    page._csp_replace = {"frame-ancestors": [SELF]}  # type: ignore[attr-defined]  # django-csp reads it
    return page


def _conversation_of(request: HttpRequest, frame: frames.AnyFrame) -> Conversation | None:
    """The one the form was made for, else this browser's; what begins one begins it. Raises Gone or DeskError."""
    visitor = visitor_of_request(request)
    if named := request.POST.get("conversation"):
        return _named(named, visitor)
    conversation = conversation_current(request.session, visitor)
    if conversation is None and frame.type in BEGIN:
        if isinstance(frame, frames.MessageFrame):
            check_text(frame.text)  # nothing begins with a message that is refused
        conversation = conversation_begin(request)
    return conversation


def _named(value: str, visitor: Visitor) -> Conversation:
    try:
        return conversation_for_visitor(UUID(value), visitor)
    except (ValueError, NotFound):
        raise commands.Gone from None


def _place_of(frame: frames.AnyFrame, replies: list[Json]) -> str:
    """The address of what came of it on the page."""
    match frame:
        case frames.MessageFrame():
            return f"/#m-{replies[0]['message_id']}"
        case frames.ConfirmFrame() | frames.UndoFrame() | frames.RenewFrame():
            return f"/#action-{frame.action_id}"
        case frames.FeedbackFrame():
            return f"/#feedback-{frame.message_id}"
        case frames.VerifyFrame():
            return "/#verification"
        case frames.SurveyFrame():
            return "/#survey"
        case frames.ContactFrame():
            return "/#banner"
    return "/#survey" if frame.type == "close" else "/"


def _in_words(error: Refused, frame: frames.AnyFrame | None) -> Refused:
    """Another text from a form that was sent already, as by going back to it, goes out once it is sent again."""
    if isinstance(error, Conflict) and isinstance(frame, frames.MessageFrame):
        return Conflict(_("You sent something else from this form already. To send this too, press Send again."))
    return error


def _refused(request: HttpRequest, error: Refused) -> HttpResponse:
    """The page with what is wrong and what was typed."""
    refusal = Refusal(error.message, request.POST.dict())
    answer = chat_page(request, refusal=refusal, status=STATUS.get(error.code, 422))
    if isinstance(error, RateLimited):
        answer["Retry-After"] = str(error.retry_after)
    return answer
