"""Questions nobody could answer, from the turns of real conversations, without what names a person."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from support_agent.agent.identifiers import formats
from support_agent.models import GapQuestion, SpotLabel, ToolCall, Turn
from tickets.languages import language_of
from tickets.models import Conversation, Escalation, EscalationReason, Feedback, Message
from tickets.models.conversations import ERASED
from tickets.redaction import without_personal
from tickets.search.spelling import looks_english

SEARCH = "search_knowledge_base"
WEAK = 0.6  # the best article's score below which it hardly fits
MOST = 2000  # turns of one look
LEAST, LONGEST = 12, 300  # characters of a question
NUMBER = re.compile(r"\b[A-Z]{1,4}-?\d{4,}\b|\b\d{5,}\b", re.IGNORECASE)  # beside those of known formats
Why = GapQuestion.Why


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that is not in a group yet."""

    turn_id: UUID
    conversation_id: UUID
    text: str
    why: str
    asked_at: datetime


def collected(since: datetime, until: datetime, languages: frozenset[str]) -> list[Asked]:
    """What is new in the span, oldest first, in the languages that can be compared."""
    why = _turns(since, until)
    turns = (
        Turn.objects.filter(pk__in=why, gap_question=None)
        .exclude(conversation__channel=Conversation.Channel.TASK)
        .select_related("conversation__customer")
        .order_by("created_at", "pk")
    )
    found = []
    words = _words(why)
    for turn in turns[:MOST]:
        text = without_names(words.get(turn.pk, ""), turn.conversation)
        understood = language_of(turn.conversation.locale) in languages or looks_english(text)
        if len(text) >= LEAST and understood:
            found.append(Asked(turn.pk, turn.conversation_id, text, why[turn.pk], turn.created_at))
    return found


def without_names(text: str, conversation: Conversation, most: int = LONGEST) -> str:
    """The text on one line without numbers of records, addresses and the customer's own name; cut between words."""
    text = without_personal(" ".join(text.split()))
    for number in sorted(set(formats().found_in(text)), key=len, reverse=True):
        text = re.sub(re.escape(number), "[number]", text, flags=re.IGNORECASE)
    text = NUMBER.sub("[number]", text)
    if conversation.customer is not None:
        for name in conversation.customer.name.split():
            if len(name) > 2:
                text = re.sub(rf"\b{re.escape(name)}\b", "[name]", text, flags=re.IGNORECASE)
    return text if len(text) <= most else text[: most - 2].rsplit(" ", 1)[0] + " …"


def _turns(since: datetime, until: datetime) -> dict[UUID, str]:
    """The turns and why each is here; what a person said of it weighs more than what the assistant thought."""
    span = {"created_at__gte": since, "created_at__lt": until}
    searches = ToolCall.objects.filter(tool=SEARCH, **span)
    last = Turn.objects.filter(conversation=OuterRef("conversation"), created_at__lte=OuterRef("created_at"))
    unsure = Escalation.objects.filter(reason=EscalationReason.UNSURE, **span).annotate(
        asked=Subquery(last.order_by("-created_at").values("pk")[:1])
    )
    judged = SpotLabel.objects.filter(accuracy=SpotLabel.Accuracy.INACCURATE, **span)
    found: dict[UUID, str] = {}
    for why, rows in (
        (Why.WEAK, _ids(searches.filter(status="success", result__results__0__score__lt=WEAK), "turn_id")),
        (Why.NOTHING, _ids(searches.filter(status="not_found"), "turn_id")),
        (Why.UNSURE, _ids(Turn.objects.filter(doubtful=True, **span), "pk")),
        (Why.ESCALATED, _ids(unsure, "asked")),
        (Why.DISLIKED, _ids(Feedback.objects.filter(helpful=False, **span), "message__turn_id")),
        (Why.WRONG, _ids(judged, "spot_check__turn_id")),
    ):
        found |= dict.fromkeys(rows, why.value)
    return found


def _ids(rows: QuerySet[ToolCall] | QuerySet[Turn] | QuerySet[Escalation] | QuerySet[Feedback] | QuerySet[SpotLabel], name: str) -> list[UUID]:  # fmt: skip  # noqa: E501
    latest = rows.order_by("-created_at").values_list(name, flat=True)[:MOST]
    return [one for one in latest if one]


def _words(turns: Iterable[UUID]) -> dict[UUID, str]:
    """What the customer asked in each turn: all they wrote for it."""
    said = Message.objects.filter(turn_id__in=list(turns), role=Message.Role.CUSTOMER).exclude(text__in=("", ERASED))
    found: dict[UUID, str] = {}
    for turn_id, text in said.order_by("seq").values_list("turn_id", "text"):
        if turn_id:
            found[turn_id] = f"{found.get(turn_id, '')} {text}".strip()
    return found
