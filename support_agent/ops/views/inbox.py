"""The inbox, first form: who waits, one thread, take-over, reply, hand-back, close."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from support_agent.ops.gates import staff_of, staff_only
from support_agent.ops.selectors.filters import TraceFilter
from support_agent.ops.selectors.inbox import inbox_counts, inbox_rows, thread_of
from tickets.access import conversation_for_staff, staff_roles
from tickets.errors import DeskError, NotFound
from tickets.models import Action, Conversation, Role, Team
from tickets.services.actions import action_approve
from tickets.services.conversations import conversation_claim, conversation_close, conversation_hand_back
from tickets.services.replies import reply_post

READERS = (Role.AGENT, Role.LEAD, Role.OPS, Role.ADMIN)
ANSWERERS = (Role.AGENT, Role.LEAD, Role.ADMIN)
TABS = (
    (Conversation.Status.WAITING, "Waiting"),
    (Conversation.Status.HUMAN, "With staff"),
    (Conversation.Status.AI, "With the assistant"),
    (Conversation.Status.CLOSED, "Closed"),
)


@require_GET
@staff_only(*READERS)
def inbox(request: HttpRequest) -> HttpResponse:
    status = request.GET.get("status", "")
    status = status if status in Conversation.Status.values else Conversation.Status.WAITING
    words = TraceFilter(q=TraceFilter.read(request.GET).q)
    team = request.GET.get("team", "").replace("\x00", "")
    counts = inbox_counts()
    return render(
        request,
        "ops/inbox.html",
        {
            "desk_page": "inbox",
            "title": "Inbox",
            "tabs": [(value, label, counts.get(value)) for value, label in TABS],
            "status": status,
            "q": words.q,
            "team": team,
            "teams": list(Team.objects.all()),
            "rows": inbox_rows(status, team=team, words=words),
            "address": request.get_full_path(),
        },
    )


@require_GET
@staff_only(*READERS)
def thread(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The page; a page that looks again with `seen` gets 204 while nothing has changed."""
    user = staff_of(request)
    conversation = conversation_for_staff(conversation_id, user)
    mark = f"{conversation.last_seq}-{conversation.status}"
    if request.GET.get("seen") == mark:
        return HttpResponse(status=204)
    return render(
        request,
        "ops/thread.html",
        {
            "desk_page": "inbox",
            "title": f"{conversation.reference}",
            "conversation": conversation,
            "thread": thread_of(conversation),
            "mark": mark,
            "is_mine": conversation.assignee_id == user.pk,
            "may_answer": bool(staff_roles(user) & {role.value for role in ANSWERERS}),
        },
    )


@require_POST
@staff_only(*ANSWERERS)
def claim(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    return _do(
        request, conversation_id, lambda: conversation_claim(conversation_id=conversation_id, staff=staff_of(request))
    )


@require_POST
@staff_only(*ANSWERERS)
def reply(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    text = request.POST.get("text", "")
    return _do(
        request,
        conversation_id,
        lambda: reply_post(conversation_id=conversation_id, staff=staff_of(request), text=text),
    )


@require_POST
@staff_only(*ANSWERERS)
def hand_back(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    conversation = conversation_for_staff(conversation_id, staff_of(request))
    note = request.POST.get("instruction", "")
    return _do(
        request,
        conversation_id,
        lambda: conversation_hand_back(conversation=conversation, staff=staff_of(request), instruction=note),
    )


@require_POST
@staff_only(*ANSWERERS)
def close(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    conversation = conversation_for_staff(conversation_id, staff_of(request))
    return _do(request, conversation_id, lambda: conversation_close(conversation=conversation, actor=staff_of(request)))


@require_POST
@staff_only(*ANSWERERS)
def decide(request: HttpRequest, conversation_id: UUID, action_id: UUID) -> HttpResponse:
    """Approve or decline what is over a click's limit."""
    if not Action.objects.filter(pk=action_id, conversation=conversation_id).exists():
        raise NotFound("There is no such action.")
    approve = request.POST.get("approve") == "true"
    reason = request.POST.get("reason", "")
    return _do(
        request,
        conversation_id,
        lambda: action_approve(action_id=action_id, staff=staff_of(request), approve=approve, reason=reason),
    )


def _do(request: HttpRequest, conversation_id: UUID, deed: Callable[[], object]) -> HttpResponse:
    """Do it, then show the thread; what the desk refuses is said in its own words."""
    try:
        deed()
    except NotFound:
        raise
    except DeskError as refusal:
        messages.error(request, refusal.message)
    return redirect("inbox_thread", conversation_id=conversation_id)
