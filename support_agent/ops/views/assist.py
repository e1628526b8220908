"""What helps writing: canned replies, colleagues to name, articles to link, and the AI's summaries and drafts."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from support_agent.models import Task
from support_agent.ops.gates import ANSWERERS, staff_of, staff_only
from support_agent.ops.views.thread import act, is_fragment
from support_agent.runtime.assists import DISCARDED, INSERTED, assist_ask, assist_note, assist_of
from support_agent.runtime.drafts import draft_discard
from support_agent.runtime.ratelimit import allow
from tickets.access import conversation_for_staff
from tickets.audience import STAFF
from tickets.errors import NotFound
from tickets.models import Conversation
from tickets.search import search
from tickets.selectors.canned import canned_like
from tickets.selectors.staff import colleagues_like, staff_name
from tickets.services.canned import canned_fill


@require_GET
@staff_only(*ANSWERERS)
def canned(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Options for what was typed after `/`, filled for this conversation."""
    user = staff_of(request)
    conversation = conversation_for_staff(conversation_id, user)
    options = [
        {
            "insert": canned_fill(reply=one, conversation=conversation, staff=user),
            "name": f"/{one.shortcut}",
            "title": one.title,
            "more": one.text,
        }
        for one in canned_like(user, _asked(request))
    ]
    return render(request, "ops/thread/options.html", {"options": options})


@require_GET
@staff_only(*ANSWERERS)
def mentions(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Colleagues for what was typed after `@`."""
    found = [user for user in colleagues_like(_asked(request)) if user.pk != staff_of(request).pk]
    options = [
        {"insert": f"@{user.get_username()} ", "name": f"@{user.get_username()}", "title": staff_name(user)}
        for user in found
    ]
    return render(request, "ops/thread/options.html", {"options": options})


@require_GET
@staff_only(*ANSWERERS)
def articles(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Help-centre articles to link in a reply."""
    asked = _asked(request)
    return render(
        request,
        "ops/thread/articles.html",
        {"article_q": asked, "hits": search(asked, readers=STAFF) if asked.strip() else []},
    )


@require_POST
@staff_only(*ANSWERERS)
def ask(request: HttpRequest, conversation_id: UUID, purpose: str) -> HttpResponse:
    """A summary or a draft, please: a background task of the same engine."""
    if purpose not in (Task.Purpose.SUMMARY, Task.Purpose.DRAFT):
        raise NotFound("There is nothing of that name.")
    user = staff_of(request)

    def deed(conversation: Conversation) -> object:
        allow("assist", str(user.pk))
        return assist_ask(conversation=conversation, staff=user, purpose=purpose)

    return act(request, conversation_id, deed)


@require_POST
@staff_only(*ANSWERERS)
def insert(request: HttpRequest, conversation_id: UUID, task_id: UUID) -> HttpResponse:
    """Put into the composer, not sent; without a script the page comes back with the text in it."""
    user = staff_of(request)
    answer = act(
        request,
        conversation_id,
        lambda c: assist_note(conversation=c, staff=user, task_id=task_id, action=INSERTED),
    )
    if is_fragment(request) or answer.status_code != 302:
        return answer
    return redirect(f"{reverse('inbox_thread', args=[conversation_id])}?draft={task_id}#reply")


@require_POST
@staff_only(*ANSWERERS)
def discard(request: HttpRequest, conversation_id: UUID, task_id: UUID) -> HttpResponse:
    """Done with it; of a draft of a careful start `why` is kept."""
    user = staff_of(request)
    why = request.POST.get("why", "")

    def deed(conversation: Conversation) -> object:
        if assist_of(conversation, task_id).task.purpose == Task.Purpose.ANSWER:
            return draft_discard(conversation=conversation, staff=user, task_id=task_id, why=why)
        return assist_note(conversation=conversation, staff=user, task_id=task_id, action=DISCARDED)

    return act(request, conversation_id, deed)


def _asked(request: HttpRequest) -> str:
    return request.GET.get("q", "").replace("\x00", "")[:200]
