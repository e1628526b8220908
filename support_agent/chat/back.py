"""From an e-mail back into one thread: a page with a button, so that a mail scanner that opens links uses none up."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from support_agent.chat.languages import follow
from support_agent.chat.visitors import remember, visitor_of_request
from support_agent.runtime.ratelimit import allow
from tickets.access import Visitor, conversation_for_visitor
from tickets.errors import DeskError, Expired, NotFound, RateLimited
from tickets.models import ThreadLink
from tickets.services.identity import mask_email
from tickets.services.thread_links import is_current, link_check, link_find, link_renew, link_use

STATUS = {"not_found": 404, "expired": 410, "rate_limited": 429}


@never_cache
@sensitive_post_parameters("token")
@require_http_methods(["GET", "POST"])
def back(request: HttpRequest) -> HttpResponse:
    """GET asks, POST opens the thread to this browser session; a used or expired link says so and what to do."""
    visitor = visitor_of_request(request)
    token = _token(request)
    try:
        allow("thread_link", visitor.address)
        link = link_find(token)
        follow(request, link.conversation.locale)
        if _is_inside(link, visitor):  # the way in is open already: the link stays good
            remember(request.session, link.conversation_id)
            return redirect("/")
        link_check(link)
        if _is_somebody_else(link, visitor):
            return render(request, "chat/back.html", {"somebody_else": True, "token": token}, status=409)
        if request.method != "POST":
            return render(request, "chat/back.html", {"token": token, "reference": link.conversation.reference})
        remember(request.session, link_use(token=token).pk)
    except DeskError as error:
        return _refused(request, token, error)
    return redirect("/")


@never_cache
@sensitive_post_parameters("token")
@require_POST
def back_again(request: HttpRequest) -> HttpResponse:
    """A new link for a used or expired one, to the same mailbox and no other."""
    token = _token(request)
    try:
        allow("thread_link", visitor_of_request(request).address)
        link = link_renew(link=link_find(token))
    except DeskError as error:
        return _refused(request, token, error)
    return render(request, "chat/back.html", {"sent_to": mask_email(link.email)})


def _refused(request: HttpRequest, token: str, error: DeskError) -> HttpResponse:
    can_renew = False
    if isinstance(error, Expired):
        can_renew = is_current(link_find(token))
    context = {"refusal": error.message, "can_renew": can_renew, "token": token if can_renew else ""}
    response = render(request, "chat/back.html", context, status=STATUS.get(error.code, 400))
    if isinstance(error, RateLimited):
        response["Retry-After"] = str(error.retry_after)
    return response


def _token(request: HttpRequest) -> str:
    return (request.POST if request.method == "POST" else request.GET).get("token", "").replace("\x00", "")[:200]


def _is_inside(link: ThreadLink, visitor: Visitor) -> bool:
    try:
        conversation_for_visitor(link.conversation_id, visitor)
    except NotFound:
        return False
    return True


def _is_somebody_else(link: ThreadLink, visitor: Visitor) -> bool:
    """Signed in, but as another customer: the link would be used up and open nothing."""
    owner = link.conversation.customer_id
    return owner is not None and visitor.customer_id is not None and owner != visitor.customer_id
