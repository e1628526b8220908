"""What a turn starts from: the conversation so far, the facts only the server may state, and earlier evidence."""

from __future__ import annotations

import json
from typing import Literal

from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from support_agent.agent.memory import reminder
from support_agent.agent.types import Surface, TurnInput
from support_agent.env import env
from support_agent.models import Task, ToolCall, Turn
from support_agent.runtime.assists import evidence_for
from support_agent.runtime.memories import MAX_MESSAGES, as_written, memory_of
from support_agent.runtime.pictures import MAX_SEEN, pictures_of
from tickets import hours
from tickets.languages import ENGLISH, language_of, speaking
from tickets.models import Action, Conversation, Message
from tickets.search import search
from tickets.selectors.conversations import spoken

MAX_EVIDENCE = 40
ASSISTS: dict[str, Literal["summary", "draft"]] = {Task.Purpose.SUMMARY: "summary", Task.Purpose.DRAFT: "draft"}
MAX_QUESTION = 160  # characters
LANGUAGES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish", "ar": "Arabic"}
DEMO_SPEAKS = gettext_noop(
    "The built-in demo model understands and writes English only. Please write to it in English, or press “Talk to a "
    "person”."
)


def turn_input(turn: Turn) -> TurnInput:
    """Read everything one turn needs, in few queries."""
    conversation = turn.conversation
    messages = spoken(conversation.pk, limit=MAX_MESSAGES)
    asked = [m for m in messages if m.turn_id == turn.pk and m.role == Message.Role.CUSTOMER]
    first = asked[0].seq if asked else 0
    before = [m for m in messages if m.seq < first]
    task = conversation.channel == Conversation.Channel.TASK
    text = "\n\n".join(filter(None, map(as_written, asked))) or "(an empty message)"
    assist = assist_of_turn(turn) if task else None
    pictures = [picture for message in asked for picture in pictures_of(message)][-MAX_SEEN:]
    return TurnInput(
        turn_id=turn.pk,
        conversation_id=conversation.pk,
        surface=Surface(turn.surface),
        verified=conversation.customer_id is not None,
        locale=conversation.locale,
        text=text,
        pictures=pictures,
        memory=memory_of(conversation.pk, before, shown=MAX_SEEN - len(pictures)),
        notice="\n".join(filter(None, [notice_for(conversation), reminder(len(before))])),
        evidence=evidence_for(assist) if assist else _evidence(conversation, before),
        article_score=article_score_of(text, language_of(conversation.locale)),
        doubted=doubted_before(turn),
        mutations_allowed=conversation.status == Conversation.Status.AI and not task,
        assist=ASSISTS[assist.purpose] if assist else "",
    )


def assist_of_turn(turn: Turn) -> Task | None:
    """The summary or draft that a background turn is for, if it is one."""
    return Task.objects.filter(turn=turn, purpose__in=ASSISTS, about__isnull=False).first()


def _evidence(conversation: Conversation, before: list[Message]) -> list[str]:
    return [*_earlier_results(conversation), *(m.text for m in before if m.role == Message.Role.STAFF)]


def notice_for(conversation: Conversation) -> str:
    """Server-written facts, one a line. Nothing in here was typed freely by a customer."""
    now = timezone.now()
    language = language_of(conversation.locale)
    with speaking(ENGLISH):
        person = hours.when(now)
    customer = conversation.customer
    who = f"verified, signed in as {json.dumps(customer.email)}" if customer else "not verified"
    lines = [
        f"date: {now:%Y-%m-%d} ({now:%A}), {now:%H:%M} UTC",
        f"customer: {who}",
        f"a person answers: {person}",
        f"language: {LANGUAGES[language]} ({language})",
    ]
    if conversation.status == Conversation.Status.WAITING:
        lines.append("status: a person has been asked to take over; propose no changes meanwhile")
    if env.demo_model and language != ENGLISH:
        with speaking(language):
            lines.append(f"demo model says: {gettext(DEMO_SPEAKS)}")
    actions = Action.objects.filter(conversation=conversation).order_by("-created_at")[:5]
    lines += [f"action {action.pk}: {action.tool}, state {action.state}" for action in reversed(actions)]
    if conversation.channel == Conversation.Channel.TASK:
        complexity = conversation.metadata.get("complexity", "medium")
        lines.append(f"background task: written by staff, who gave its complexity as {complexity}; nobody will reply")
    if instruction := conversation.metadata.get("instruction"):
        lines.append(f"staff instruction: {json.dumps(instruction)}")
    return "\n".join(lines)


def article_score_of(text: str, language: str = ENGLISH) -> float:
    """How well the help centre's best article fits a short message: what the fast path goes by."""
    hits = search(text, limit=1, language=language) if 8 <= len(text) <= MAX_QUESTION else []
    return hits[0].score if hits else 0.0


def doubted_before(turn: Turn) -> bool:
    """Whether the turn before this one ended without being sure of itself."""
    before = Turn.objects.filter(conversation=turn.conversation_id, created_at__lt=turn.created_at)
    last = before.order_by("-created_at").values_list("doubtful", flat=True).first()
    return bool(last)


def _earlier_results(conversation: Conversation) -> list[str]:
    rows = ToolCall.objects.filter(conversation=conversation).order_by("-created_at")
    return [json.dumps(result, default=str) for result in rows.values_list("result", flat=True)[:MAX_EVIDENCE]]
