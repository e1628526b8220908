"""'Start over': the conversation ends, a fresh one begins; where that would cost something, only after a question."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from support_agent.chat.conversations import conversation_begin, conversation_current
from support_agent.chat.visitors import visitor_of_request
from tickets.errors import DeskError, RateLimited
from tickets.models import Action, Conversation
from tickets.services.conversations import conversation_close

OPEN = [Action.State.PROPOSED, Action.State.CONFIRMED, Action.State.AWAITING_STAFF]


@require_POST
def new(request: HttpRequest) -> HttpResponse:
    """Begin a fresh one, and end the one before if it is still open; `sure` says that the question was answered."""
    current = conversation_current(request.session, visitor_of_request(request))
    if current is not None and current.status != Conversation.Status.CLOSED:
        if not current.last_seq:
            return redirect("/")  # nothing was said yet: it is fresh already
        if not request.POST.get("sure") and _at_stake(current):
            return redirect("chat-over")
    try:
        conversation_begin(request)
    except DeskError as error:
        status = 429 if isinstance(error, RateLimited) else 503
        return render(request, "chat/refused.html", {"message": error.message}, status=status)
    if current is not None:  # only now: had no other begun, this one would still be there
        conversation_close(conversation=current)
    return redirect("/")


@require_GET
@never_cache
def over(request: HttpRequest) -> HttpResponse:
    """The question."""
    current = conversation_current(request.session, visitor_of_request(request))
    at_stake = _at_stake(current) if current is not None else {}
    if current is None or not at_stake:
        return redirect("/")
    return render(request, "chat/over.html", {"conversation": current, **at_stake})


def _at_stake(conversation: Conversation) -> dict[str, Any]:
    """What ends with the conversation, or waits in it; empty when nothing does."""
    if conversation.status == Conversation.Status.CLOSED:
        return {}
    people = {Conversation.Status.WAITING: "waiting", Conversation.Status.HUMAN: "human"}
    actions = Action.objects.filter(conversation=conversation, state__in=OPEN).order_by("created_at")
    found = {
        "person": people.get(Conversation.Status(conversation.status), ""),
        "actions": list(actions.values_list("summary", flat=True)),
    }
    return found if any(found.values()) else {}
