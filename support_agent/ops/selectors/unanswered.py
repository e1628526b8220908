"""Questions the assistant had no answer to, by topic: what the help centre lacks. Four queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import OuterRef, Subquery

from support_agent.models import ToolCall, Turn
from tickets.models import Conversation, Escalation, EscalationReason, Message

SEARCH = "search_knowledge_base"
NOT_FOUND = "not_found"
MOST = 3000  # turns looked at: the latest
SHOWN, LINKED = 8, 4  # wordings of a topic, conversations of a wording
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Asking:
    """Where and when it was asked; `why` is nothing found, unsure, or handed over unsure."""

    conversation_id: UUID
    reference: str
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Question:
    """One wording, and everywhere it was asked, the latest first."""

    text: str
    askings: list[Asking]

    @property
    def times(self) -> int:
        return len(self.askings)

    @property
    def latest(self) -> Asking:
        return self.askings[0]

    @property
    def others(self) -> list[Asking]:
        return self.askings[1:LINKED]


@dataclass(frozen=True, slots=True)
class Topic:
    """The most frequent questions of a topic, how many were asked in all, and how many wordings are not shown."""

    name: str
    count: int
    questions: list[Question]
    hidden: int


def unanswered(start: datetime, end: datetime) -> list[Topic]:
    """By topic, the most frequent first: turns whose search found nothing, that doubted, or went to a person unsure."""
    why = _turns(start, end)
    asked = (
        Turn.objects.filter(pk__in=why)
        .exclude(conversation__channel=Conversation.Channel.TASK)
        .values_list("pk", "topic", "conversation__topic", "conversation_id", "conversation__reference", "created_at")
        .order_by("-created_at")
    )
    rows = list(asked)
    words = _words(row[0] for row in rows)
    topics: dict[str, dict[str, Question]] = defaultdict(dict)
    for turn_id, topic, conversation_topic, conversation_id, reference, at in rows:
        if text := " ".join(words.get(turn_id, "").split()):
            known = topics[topic or conversation_topic or OTHER].setdefault(text.casefold(), Question(text, []))
            known.askings.append(Asking(conversation_id, reference, at, why[turn_id]))
    found = [_topic(name, list(questions.values())) for name, questions in topics.items()]
    return sorted(found, key=lambda topic: (-topic.count, topic.name))


def _topic(name: str, questions: list[Question]) -> Topic:
    questions.sort(key=lambda question: question.latest.at, reverse=True)
    questions.sort(key=lambda question: question.times, reverse=True)
    count = sum(question.times for question in questions)
    return Topic(name, count, questions[:SHOWN], max(len(questions) - SHOWN, 0))


def _turns(start: datetime, end: datetime) -> dict[UUID, str]:
    """The turns, and for what; a person's help says more than a doubt, a doubt more than an empty search."""
    nothing = ToolCall.objects.filter(tool=SEARCH, status=NOT_FOUND, created_at__gte=start, created_at__lt=end)
    doubted = Turn.objects.filter(doubtful=True, created_at__gte=start, created_at__lt=end)
    why: dict[UUID, str] = dict.fromkeys(
        nothing.order_by("-created_at").values_list("turn_id", flat=True)[:MOST], "nothing found"
    )
    why |= dict.fromkeys(doubted.order_by("-created_at").values_list("pk", flat=True)[:MOST], "unsure")
    last = Turn.objects.filter(conversation=OuterRef("conversation"), created_at__lte=OuterRef("created_at"))
    unsure = Escalation.objects.filter(
        reason=EscalationReason.UNSURE, created_at__gte=start, created_at__lt=end
    ).annotate(turn=Subquery(last.order_by("-created_at").values("pk")[:1]))
    handed_over = unsure.filter(turn__isnull=False).order_by("-created_at").values_list("turn", flat=True)[:MOST]
    return why | dict.fromkeys(handed_over, "handed over, unsure")


def _words(turn_ids: Iterable[UUID]) -> dict[UUID, str]:
    """What the customer asked in each turn: their last message of it."""
    said = Message.objects.filter(turn_id__in=list(turn_ids), role=Message.Role.CUSTOMER).order_by("seq")
    return {turn_id: text for turn_id, text in said.values_list("turn_id", "text") if turn_id}
