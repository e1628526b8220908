"""One thread: live both ways, and what staff do in it. Deeds answer a fragment to the page's script, else lead back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from support_agent.ops.gates import ANSWERERS, READERS, staff_of, staff_only
from support_agent.ops.selectors.reading import clock
from support_agent.ops.selectors.thread import said_after, said_latest
from support_agent.ops.views.inbox import inbox_context
from support_agent.ops.views.thread_context import live_context, number_of, page_context
from support_agent.runtime.assists import assist_sent
from support_agent.runtime.careful import hand_back as hand_back_to_assistant
from support_agent.runtime.drafts import drafts_replied
from tickets import hours
from tickets.access import conversation_for_staff
from tickets.errors import Conflict, DeskError, Moved, NotFound
from tickets.models import Action, Conversation, Effect, Promise
from tickets.services.actions import action_approve
from tickets.services.conversations import conversation_claim, conversation_close
from tickets.services.effect_sending import effect_decide
from tickets.services.notes import mentions_read, note_add
from tickets.services.promises import promise_by_staff, promise_settle
from tickets.services.read_marks import read_mark_put
from tickets.services.replies import messages_of_others, reply_post
from tickets.services.tickets import ticket_link, ticket_open, ticket_unlink

Json = dict[str, Any]
FRAGMENT = "X-Fragment"  # what the page's script sends with its requests


@require_GET
@staff_only(*READERS)
def thread(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The page. Opening it reads what is new, and the notes that name this member of staff."""
    user = staff_of(request)
    conversation = conversation_for_staff(conversation_id, user)
    mentions_read(conversation_id=conversation.pk, user=user)
    read_mark_put(user=user, conversation_id=conversation.pk, seq=conversation.last_seq)
    return _page(request, conversation)


@require_GET
@staff_only(*READERS)
def events(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """What came after a `seq` and everything beside the thread, as a fragment; `before` a page of what came earlier."""
    user = staff_of(request)
    conversation = conversation_for_staff(conversation_id, user)
    if "before" in request.GET:
        said = said_latest(conversation, before=number_of(request.GET["before"]))
        shown = {"conversation": conversation, "items": said.items, "older": said.older}
        return render(request, "ops/thread/earlier.html", shown)
    if "seen" in request.GET:
        mentions_read(conversation_id=conversation.pk, user=user)
        read_mark_put(user=user, conversation_id=conversation.pk, seq=conversation.last_seq)
    return _fragment(request, conversation)


@require_POST
@staff_only(*ANSWERERS)
def claim(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    return act(request, conversation_id, lambda c: conversation_claim(conversation_id=c.pk, staff=staff_of(request)))


@require_POST
@staff_only(*ANSWERERS)
def reply(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Send; when the thread moved meanwhile, the text is kept and what is new is shown above it."""
    user, post = staff_of(request), request.POST
    conversation = conversation_for_staff(conversation_id, user)
    text, seen = post.get("text", ""), number_of(post.get("seen_seq", ""))
    kept: Json = {"text": text, "draft_id": _uuid(post.get("draft_id", "")) or ""}
    asked: Json = {"text": text, "seen_seq": seen, "form_id": form_id_of(request)}
    try:
        with transaction.atomic():
            message = reply_post(conversation_id=conversation.pk, staff=user, **asked)
            if kept["draft_id"]:
                assist_sent(conversation=conversation, staff=user, task_id=kept["draft_id"], text=text)
            drafts_replied(conversation=conversation, message=message, task_id=kept["draft_id"] or None)
    except NotFound:
        raise
    except Moved as moved:
        held = list(messages_of_others(conversation, user).filter(seq__gt=seen or 0).order_by("-seq")[:10])[::-1]
        return _refused(request, conversation, moved.message, **kept, held=held, seen_seq=moved.seq)
    except DeskError as refusal:
        return _refused(request, conversation, refusal.message, **kept)
    return _done(request, conversation, "reply")


@require_POST
@staff_only(*ANSWERERS)
def note(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    user, text = staff_of(request), request.POST.get("text", "")
    conversation = conversation_for_staff(conversation_id, user)
    try:
        note_add(conversation_id=conversation.pk, author=user, text=text, form_id=form_id_of(request))
    except DeskError as refusal:
        return _refused(request, conversation, refusal.message, note=text, note_first=True)
    return _done(request, conversation, "note")


@require_POST
@staff_only(*ANSWERERS)
def hand_back(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    told, user = request.POST.get("instruction", ""), staff_of(request)
    return act(
        request,
        conversation_id,
        lambda c: hand_back_to_assistant(conversation=c, staff=user, instruction=told),
    )


@require_POST
@staff_only(*ANSWERERS)
def close(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    user = staff_of(request)
    return act(request, conversation_id, lambda c: conversation_close(conversation=c, actor=user))


@require_POST
@staff_only(*ANSWERERS)
def decide(request: HttpRequest, conversation_id: UUID, action_id: UUID) -> HttpResponse:
    """Approve or decline what is over a click's limit."""
    if not Action.objects.filter(pk=action_id, conversation=conversation_id).exists():
        raise NotFound("There is no such action.")
    approve, reason, user = request.POST.get("approve") == "true", request.POST.get("reason", ""), staff_of(request)
    return act(
        request,
        conversation_id,
        lambda _: action_approve(action_id=action_id, staff=user, approve=approve, reason=reason),
    )


@require_POST
@staff_only(*ANSWERERS)
def found_out(request: HttpRequest, conversation_id: UUID, effect_id: UUID) -> HttpResponse:
    """Staff know what became of a change in another system: it was done, it was not, or it is to be sent again."""
    if not Effect.objects.filter(pk=effect_id, action__conversation=conversation_id).exists():
        raise NotFound("There is no such change.")
    verdict, reference = request.POST.get("verdict", ""), request.POST.get("reference", "")
    user = staff_of(request)
    return act(
        request,
        conversation_id,
        lambda _: effect_decide(effect_id=effect_id, staff=user, verdict=verdict, reference=reference),
    )


@require_POST
@staff_only(*ANSWERERS)
def ticket(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    fields = {name: request.POST.get(name, "") for name in ("subject", "body", "category", "priority")}
    form_id = form_id_of(request)
    return act(
        request,
        conversation_id,
        lambda c: ticket_open(conversation=c, staff=staff_of(request), form_id=form_id, **fields),
    )


@require_POST
@staff_only(*ANSWERERS)
def link_ticket(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    number = request.POST.get("number", "").replace("\x00", "")
    return act(request, conversation_id, lambda c: ticket_link(conversation=c, staff=staff_of(request), number=number))


@require_POST
@staff_only(*ANSWERERS)
def unlink_ticket(request: HttpRequest, conversation_id: UUID, ticket_id: UUID) -> HttpResponse:
    user = staff_of(request)
    return act(request, conversation_id, lambda c: ticket_unlink(conversation=c, staff=user, ticket_id=ticket_id))


@require_POST
@staff_only(*ANSWERERS)
def promise(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Promise the customer something by a time (the shop's): a dated card in their chat, chased until it is settled."""
    user, text, due = staff_of(request), request.POST.get("text", ""), request.POST.get("due_at", "")
    return act(
        request,
        conversation_id,
        lambda c: promise_by_staff(conversation=c, text=text, due_at=_shop_time(due), staff=user),
    )


@require_POST
@staff_only(*ANSWERERS)
def settle(request: HttpRequest, conversation_id: UUID, promise_id: UUID) -> HttpResponse:
    """A promise was kept, or is not needed any more."""
    found = Promise.objects.filter(pk=promise_id, conversation=conversation_id).first()
    state = request.POST.get("state", "")
    if found is None or state not in (Promise.State.KEPT, Promise.State.WITHDRAWN):
        raise NotFound("There is no such promise.")
    user = staff_of(request)
    return act(request, conversation_id, lambda _: promise_settle(promise=found, state=state, actor=user))


def _shop_time(text: str) -> datetime:
    """A moment as a browser's field gives it, in the shop's time. Raises Conflict."""
    moment = clock(text, hours.zone())
    if moment is None:
        raise Conflict("Say by when: a date and a time.")
    return moment


def act(request: HttpRequest, conversation_id: UUID, deed: Callable[[Conversation], object]) -> HttpResponse:
    """Do it, then show the thread; what the desk refuses is said in its own words."""
    conversation = conversation_for_staff(conversation_id, staff_of(request))
    try:
        deed(conversation)
    except NotFound:
        raise
    except DeskError as refusal:
        if is_fragment(request):
            return _refused(request, conversation, refusal.message)
        messages.error(request, refusal.message)
        return redirect("inbox_thread", conversation_id=conversation_id)
    return _done(request, conversation, "deed")


def form_id_of(request: HttpRequest) -> UUID | None:
    """The id a form carries, so that what is sent twice is done once."""
    return _uuid(request.POST.get("form_id", ""))


def is_fragment(request: HttpRequest) -> bool:
    return FRAGMENT in request.headers


def _done(request: HttpRequest, conversation: Conversation, done: str) -> HttpResponse:
    if not is_fragment(request):
        return redirect("inbox_thread", conversation_id=conversation.pk)
    return _fragment(request, conversation_for_staff(conversation.pk, staff_of(request)), done=done)


def _refused(request: HttpRequest, conversation: Conversation, why: str, **kept: Any) -> HttpResponse:
    """The thread as it is now, what was refused, and the words that must not be lost."""
    conversation = conversation_for_staff(conversation.pk, staff_of(request))
    if is_fragment(request):
        return _fragment(request, conversation, status=409, refusal=why, **kept)
    messages.error(request, why)
    return _page(request, conversation, refusal=why, **kept)


def _page(request: HttpRequest, conversation: Conversation, **kept: Any) -> HttpResponse:
    context = {**inbox_context(request), **page_context(request, conversation), **kept}
    return render(request, "ops/thread/page.html", context)


def _fragment(request: HttpRequest, conversation: Conversation, *, status: int = 200, **more: Any) -> HttpResponse:
    asked = request.GET if request.method == "GET" else request.POST
    after = number_of(request.headers.get("X-After", "")) or number_of(asked.get("after", "")) or 0
    items = said_after(conversation, after, clock(request.headers.get("X-Since") or asked.get("since", "")))
    context = {**live_context(request, conversation, items, after), **more}
    return render(request, "ops/thread/live.html", context, status=status)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
