"""The conversation by e-mail: to the customer's own address, or to the one left in the chat."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from support_agent.chat.conversations import conversation_current
from support_agent.chat.visitors import visitor_of_request
from support_agent.runtime.ratelimit import allow
from tickets.access import conversation_for_visitor
from tickets.errors import DeskError, NotFound, RateLimited
from tickets.models import Conversation
from tickets.services.conversations import contact_set
from tickets.services.identity import mask_email
from tickets.services.transcripts import transcript_file, transcript_send

PLAIN = "text/plain; charset=utf-8"


@never_cache
@require_http_methods(["GET", "POST"])
def transcript(request: HttpRequest) -> HttpResponse:
    """A page with one button, and a field for the address where we know none; a known customer's is their own."""
    conversation = conversation_current(request.session, visitor_of_request(request))
    if conversation is None:
        return redirect("/")
    context = {
        "reference": conversation.reference,
        "own": mask_email(conversation.customer.email) if conversation.customer else "",
        "contact": conversation.contact_email if conversation.customer is None else "",
    }
    if request.method != "POST":
        return render(request, "chat/transcript.html", context)
    try:
        sent_to = _send(request, conversation)
    except DeskError as error:
        status = 429 if isinstance(error, RateLimited) else 422
        typed = request.POST.get("email", "")[:254]
        return render(
            request, "chat/transcript.html", {**context, "error": error.message, "contact": typed}, status=status
        )
    return render(request, "chat/transcript.html", {**context, "sent_to": mask_email(sent_to)})


@require_GET
@never_cache
def download(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The same text as a file, for the conversation's own people: session or bearer token."""
    visitor = visitor_of_request(request)
    try:
        conversation = conversation_for_visitor(conversation_id, visitor)
        allow("transcript_file", str(conversation.pk))
    except NotFound:
        raise Http404 from None
    except RateLimited as error:
        return HttpResponse(
            error.message, status=429, content_type=PLAIN, headers={"Retry-After": str(error.retry_after)}
        )
    name = f"conversation-{conversation.reference}.txt"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(transcript_file(conversation), content_type=PLAIN, headers=headers)


def _send(request: HttpRequest, conversation: Conversation) -> str:
    if conversation.customer is None:
        email = request.POST.get("email", "").strip()[:254]
        try:
            validate_email(email)
        except ValidationError:
            raise BadAddress from None
        allow("transcript_sender", visitor_of_request(request).address)
        name, _, host = email.casefold().rpartition("@")
        allow("transcript_address", f"{name.partition('+')[0]}@{host}")
    allow("transcript", str(conversation.pk))
    if conversation.customer is None and email != conversation.contact_email:
        contact_set(conversation=conversation, email=email)
    return transcript_send(conversation=conversation)


class BadAddress(DeskError):
    code = "bad_address"

    def __init__(self) -> None:
        super().__init__("Please enter an e-mail address, such as name@example.com.")
