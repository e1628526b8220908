"""What the thread's page and its fragments show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest
from django.utils import timezone

from support_agent.models import Draft
from support_agent.ops.gates import ANSWERERS, staff_of
from support_agent.ops.selectors.thread import PAGE, Item, assists_of, panel_of, said_latest, state_of
from support_agent.runtime.assists import assist_of, assists_shown
from support_agent.runtime.careful import by_mode
from support_agent.runtime.drafts import draft_shown
from support_agent.runtime.modes import LIVE
from tickets.access import may_act_for, staff_roles
from tickets.audience import STAFF
from tickets.errors import NotFound
from tickets.models import Article, Conversation, Ticket, User
from tickets.search import search
from tickets.selectors.articles import published_articles
from tickets.selectors.canned import canned_of
from tickets.selectors.staff import staff_name
from tickets.services.canned import canned_fill

Json = dict[str, Any]
SNOOZES = (("60", "For an hour"), ("240", "For four hours"), ("opening", "Until we open next"), ("10080", "For a week"))
MAX_SEQ = 2**53


def page_context(request: HttpRequest, conversation: Conversation) -> Json:
    """The whole thread: its last page (before `?before=`), and what the address asks to have in the composer."""
    before = number_of(request.GET.get("before", ""))
    said = said_latest(conversation, before=before)
    text, draft_id = _wanted_text(request, conversation)
    asked = request.GET.get("article_q", "").replace("\x00", "")[:200]
    return {
        **_beside(request, conversation),
        "items": said.items,
        "older": said.older,
        "since": timezone.now().isoformat(),
        "seq": conversation.last_seq,
        "text": text,
        "draft_id": draft_id,
        "article_q": asked,
        "hits": search(asked, readers=STAFF) if asked.strip() else [],
    }


def live_context(request: HttpRequest, conversation: Conversation, items: Sequence[Item], after: int) -> Json:
    """What is new, and everything beside it as it is now."""
    events = [item.seq for item in items if item.event is not None]
    more = len(events) >= PAGE
    return {
        **_beside(request, conversation),
        "items": items,
        "since": timezone.now().isoformat(),
        "seq": events[-1] if more else max([after, conversation.last_seq, *events]),
        "more": more,
    }


def _beside(request: HttpRequest, conversation: Conversation) -> Json:
    user = staff_of(request)
    may_answer = bool(staff_roles(user) & {role.value for role in ANSWERERS})
    may_answer = may_answer and conversation.channel != Conversation.Channel.TASK  # nobody is there to be answered
    state, panel = state_of(conversation), panel_of(conversation)
    assists, draft = _assists(conversation), draft_shown(conversation)
    profile = getattr(user, "staff_profile", None)
    summary = state.escalation.summary if state.escalation else ""
    return {
        "desk_page": "inbox",
        "title": conversation.reference,
        "conversation": conversation,
        "state": state,
        "panel": panel,
        "assists": assists,
        "assists_live": any(one.is_live for one in assists) or bool(draft and draft.assist.is_live),
        "draft": draft,
        "discards": Draft.Why.choices,
        "has_assistant": by_mode(conversation) == LIVE,
        "is_mine": conversation.assignee_id == user.pk,
        "may_answer": may_answer,
        "may_end": may_act_for(conversation, user),
        "mode": _mode(conversation, user, may_answer),
        "me": staff_name(user),
        "shortcuts": profile.shortcuts if profile else True,
        "customer_name": conversation.customer.name if conversation.customer else "the customer",
        "canned": _canned(conversation, user),
        "seen_seq": conversation.last_seq,
        "form_id": uuid4(),
        "ticket_subject": (summary or conversation.topic)[:200].split("\n")[0],
        "categories": Article.Category.choices,
        "priorities": Ticket.Priority.choices,
        "snoozes": SNOOZES,
    }


def _mode(conversation: Conversation, user: User, may_answer: bool) -> str:
    """What the composer offers: read, closed, open (to be taken over), mine, other."""
    if not may_answer:
        return "read"
    if conversation.status == Conversation.Status.CLOSED:
        return "closed"
    if conversation.status != Conversation.Status.HUMAN:
        return "open"
    return "mine" if conversation.assignee_id == user.pk else "other"


def _assists(conversation: Conversation) -> list[Any]:
    """The newest summary and the newest draft, unless staff are done with it."""
    newest: dict[str, Any] = {}
    for one in assists_shown(assists_of(conversation)):
        newest.setdefault(one.task.purpose, one)
    return [one for one in newest.values() if not one.is_settled]


def _canned(conversation: Conversation, user: User) -> list[Json]:
    return [
        {
            "shortcut": one.shortcut,
            "title": one.title,
            "filled": canned_fill(reply=one, conversation=conversation, staff=user),
        }
        for one in canned_of(user)
    ]


def _wanted_text(request: HttpRequest, conversation: Conversation) -> tuple[str, str]:
    """(text, draft) that a link without JavaScript asks to have in the composer."""
    wanted = {name: request.GET.get(name, "").replace("\x00", "") for name in ("canned", "article", "draft")}
    if wanted["canned"]:
        found = canned_of(staff_of(request)).filter(shortcut=wanted["canned"]).first()
        return (canned_fill(reply=found, conversation=conversation, staff=staff_of(request)) if found else "", "")
    if wanted["article"]:
        article = published_articles(STAFF).filter(slug=wanted["article"]).first()
        return (f"[{article.title}]({article.get_absolute_url()})" if article else "", "")
    if wanted["draft"]:
        try:
            return (assist_of(conversation, UUID(wanted["draft"])).text, wanted["draft"])
        except (NotFound, ValueError):
            return ("", "")
    return ("", "")


def number_of(text: str) -> int | None:
    """A whole number that a sequence can have, or None."""
    return min(int(text), MAX_SEQ) if text.isdecimal() and len(text) < 20 else None
