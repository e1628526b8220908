"""What a turn starts from: the conversation so far, the facts only the server may state, and earlier evidence."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Literal

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from support_agent.agent.memory import reminder
from support_agent.agent.routing import asks_in_general
from support_agent.agent.types import Surface, TurnInput
from support_agent.env import env
from support_agent.models import Draft, Task, Turn
from support_agent.runtime.assists import evidence_for
from support_agent.runtime.catalogue import extras_for
from support_agent.runtime.memories import MAX_MESSAGES, as_written, memory_of
from support_agent.runtime.pictures import MAX_SEEN, pictures_of
from support_agent.runtime.withheld import Withheld, withheld_in
from tickets import hours
from tickets.audience import Readers, readers_of
from tickets.languages import ENGLISH, language_of, speaking
from tickets.models import Conversation, Message
from tickets.search import search
from tickets.selectors.conversations import spoken
from tickets.sql import prepared

MAX_EVIDENCE = 40
ASSISTS: dict[str, Literal["summary", "draft", "article"]] = {
    Task.Purpose.SUMMARY: "summary",
    Task.Purpose.DRAFT: "draft",
    Task.Purpose.ARTICLE: "article",
}
OF_ASSISTS = Q(about__isnull=False) | Q(purpose=Task.Purpose.ARTICLE)  # an article is about no one conversation
READ_FIRST = "draft: a member of staff reads this answer before it is sent; propose no changes, send no codes"
MAX_QUESTION = 160  # characters
_DOUBTED = """
SELECT doubtful FROM support_agent_turn WHERE conversation_id = %(conversation)s AND created_at < %(created_at)s
ORDER BY created_at DESC LIMIT 1
"""
_ACTIONS = """
SELECT id, tool, state FROM tickets_action WHERE conversation_id = %(conversation)s ORDER BY created_at DESC LIMIT 5
"""
_RESULTS = """
SELECT result FROM support_agent_toolcall WHERE conversation_id = %(conversation)s
ORDER BY created_at DESC LIMIT %(most)s
"""
LANGUAGES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish", "ar": "Arabic"}
DEMO_SPEAKS = gettext_noop(
    "The built-in demo model understands and writes English only. Please write to it in English, or press “Talk to a "
    "person”."
)


def turn_input(turn: Turn) -> TurnInput:
    """Read everything one turn needs, in few queries."""
    conversation = turn.conversation
    if (draft := draft_of_turn(turn)) is not None:
        return drafted_input(turn, draft)
    messages = spoken(conversation.pk, limit=MAX_MESSAGES)
    asked = [m for m in messages if m.turn_id == turn.pk and m.role == Message.Role.CUSTOMER]
    first = asked[0].seq if asked else 0
    task = conversation.channel == Conversation.Channel.TASK
    assist = assist_of_turn(turn) if task else None
    known = _known(turn, conversation, Surface(turn.surface), asked, [m for m in messages if m.seq < first], assist)
    return replace(
        known,
        doubted=doubted_before(turn),
        mutations_allowed=conversation.status == Conversation.Status.AI and not task,
        assist=ASSISTS[assist.purpose] if assist else "",
    )


def drafted_input(turn: Turn, draft: Draft) -> TurnInput:
    """As the customer's own turn would begin, up to the message the draft answers; nothing is proposed, so that nothing
    that acts is there."""
    about = draft.task.about
    assert about is not None
    messages = [m for m in spoken(about.pk, limit=MAX_MESSAGES) if m.seq <= draft.upto_seq]
    answered = max((m.seq for m in messages if m.role != Message.Role.CUSTOMER), default=0)
    asked, before = [m for m in messages if m.seq > answered], [m for m in messages if m.seq <= answered]
    known = _known(turn, about, Surface(draft.surface), asked, before, None, READ_FIRST)
    extras = [extra for extra in known.extras if not extra.acts]
    return replace(known, extras=extras, mutations_allowed=False, drafted=True)


def _known(
    turn: Turn,
    conversation: Conversation,
    surface: Surface,
    asked: list[Message],
    before: list[Message],
    assist: Task | None,
    told: str = "",
) -> TurnInput:
    """What a turn begins with, whoever will read its answer: the new words, and what the conversation knows by then."""
    withheld = withheld_in(conversation, before)
    lost = max((m.seq for m in before if withheld.hides(m)), default=0)
    before = withheld.spare(before)
    text = "\n\n".join(filter(None, map(as_written, asked))) or "(an empty message)"
    pictures = [picture for message in asked for picture in pictures_of(message)][-MAX_SEEN:]
    return TurnInput(
        turn_id=turn.pk,
        conversation_id=conversation.pk,
        surface=surface,
        verified=conversation.customer_id is not None,
        locale=conversation.locale,
        text=text,
        pictures=pictures,
        extras=extras_for(surface),
        memory=memory_of(conversation.pk, before, shown=MAX_SEEN - len(pictures), lost=lost),
        notice="\n".join(filter(None, [notice_for(conversation), told, reminder(len(before))])),
        evidence=evidence_for(assist) if assist else _evidence(conversation, before, withheld),
        article_score=article_score_of(text, readers_of(conversation.customer), language_of(conversation.locale)),
    )


def draft_of_turn(turn: Turn) -> Draft | None:
    """The draft that a background turn writes, if it writes one."""
    if turn.conversation.channel != Conversation.Channel.TASK:
        return None
    return (
        Draft.objects.select_related("task__about__customer").filter(task__turn=turn, task__about__isnull=False).first()
    )


def payer_of(turn: Turn) -> Conversation:
    """Whose limits a turn counts towards: a draft's are those of the customer it is for."""
    draft = draft_of_turn(turn)
    about = draft.task.about if draft else None
    return about or turn.conversation


def assist_of_turn(turn: Turn) -> Task | None:
    """The summary or draft that a background turn is for, if it is one."""
    return Task.objects.filter(OF_ASSISTS, turn=turn, purpose__in=ASSISTS).first()


def _evidence(conversation: Conversation, before: list[Message], withheld: Withheld) -> list[str]:
    return [*_earlier_results(conversation, withheld), *(m.text for m in before if m.role == Message.Role.STAFF)]


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
    actions = prepared(_ACTIONS, {"conversation": conversation.pk})
    lines += [f"action {action}: {tool}, state {state}" for action, tool, state in reversed(actions)]
    if conversation.channel == Conversation.Channel.TASK:
        complexity = conversation.metadata.get("complexity", "medium")
        lines.append(f"background task: written by staff, who gave its complexity as {complexity}; nobody will reply")
    if instruction := conversation.metadata.get("instruction"):
        lines.append(f"staff instruction: {json.dumps(instruction)}")
    return "\n".join(lines)


def article_score_of(text: str, readers: Readers, language: str = ENGLISH) -> float:
    """How well the best article that these readers may read fits a short, general question: what the fast path goes by.

    Nothing else is searched for.
    """
    if not 8 <= len(text) <= MAX_QUESTION or not asks_in_general(text):
        return 0.0
    hits = search(text, readers=readers, limit=1, language=language)
    return hits[0].score if hits else 0.0


def doubted_before(turn: Turn) -> bool:
    """Whether the turn before this one ended without being sure of itself."""
    asked = {"conversation": turn.conversation_id, "created_at": turn.created_at}
    return any(doubtful for (doubtful,) in prepared(_DOUBTED, asked))


def _earlier_results(conversation: Conversation, withheld: Withheld) -> list[str]:
    asked = {"conversation": conversation.pk, "most": MAX_EVIDENCE}
    results = [result for (result,) in prepared(_RESULTS, asked)]  # JSON text, as evidence is
    if not withheld.urls:
        return results
    return [json.dumps(withheld.without(json.loads(result)), default=str) for result in results]
