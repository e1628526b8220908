"""The filters of the trace list, as they stand in its address. What cannot be read is as good as not given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from support_agent.agent.types import Surface
from support_agent.models import Step, ToolCall, Turn
from tickets.models import Conversation, Message

REFERENCE = re.compile(r"[2-9A-Z]{3}-?[2-9A-Z]{3}", re.IGNORECASE)
NUMBER = re.compile(r"(AP-\d{6}|ALD\d{10}|T-\d{5}|R-\d{6}|INV-\d{6})", re.IGNORECASE)
LAST_DAY = date.max - timedelta(days=2)  # there is a next one
FAILED_STEPS = ("failed", "error")
PATHS = ["fast", "planned"]


@dataclass(frozen=True, slots=True)
class TraceFilter:
    """`q` is a reference, an e-mail, a number of ours, an id, or words of a topic or name."""

    q: str = ""
    status: str = ""
    state: str = ""
    surface: str = ""
    since: date | None = None
    until: date | None = None
    errors: bool = False
    min_cost: Decimal | None = None
    tool: str = ""
    path: str = ""
    model: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> TraceFilter:
        return cls(
            q=_plain(query.get("q", ""))[:200],
            status=_one_of(query.get("status", ""), Conversation.Status.values),
            state=_one_of(query.get("state", ""), Turn.State.values),
            surface=_one_of(query.get("surface", ""), [surface.value for surface in Surface]),
            since=_date(query.get("since", "")),
            until=_date(query.get("until", "")),
            errors=bool(query.get("errors")),
            min_cost=_decimal(query.get("min_cost", "")),
            tool=_name(query.get("tool", "")),
            path=_one_of(query.get("path", ""), PATHS),
            model=_name(query.get("model", "")),
        )

    def as_query(self, **more: str) -> str:
        """The same filter as a query string, with `more` in it; '' when nothing is filtered."""
        values = {name: getattr(self, name) for name in self.__slots__}
        given = {name: str(value) for name, value in values.items() if value}
        if self.errors:
            given["errors"] = "1"
        return urlencode(given | {name: value for name, value in more.items() if value})

    def apply(self, conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
        if self.q:
            conversations = conversations.filter(_words(self.q))
        if self.status:
            conversations = conversations.filter(status=self.status)
        if self.since:
            conversations = conversations.filter(last_message_at__gte=_midnight(self.since))
        if self.until:
            conversations = conversations.filter(last_message_at__lt=_midnight(self.until + timedelta(days=1)))
        return self._by_turns(conversations)

    def _by_turns(self, conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
        turns = Turn.objects.filter(conversation=OuterRef("pk"))
        if self.state:
            conversations = conversations.filter(Exists(turns.filter(state=self.state)))
        if self.surface:
            conversations = conversations.filter(Exists(turns.filter(surface=self.surface)))
        if self.path:
            conversations = conversations.filter(Exists(turns.filter(path=self.path)))
        if self.tool:
            called = ToolCall.objects.filter(conversation=OuterRef("pk"), tool=self.tool)
            conversations = conversations.filter(Exists(called))
        if self.model:
            asked = Step.objects.filter(turn__conversation=OuterRef("pk"), model=self.model)
            conversations = conversations.filter(Exists(asked))
        if self.errors:
            failed = Step.objects.filter(turn__conversation=OuterRef("pk"), status__in=FAILED_STEPS)
            conversations = conversations.filter(Q(Exists(failed)) | Q(Exists(turns.filter(state=Turn.State.FAILED))))
        if self.min_cost:
            sums = Turn.objects.values("conversation").annotate(usd=Sum("cost_usd")).filter(usd__gte=self.min_cost)
            conversations = conversations.filter(pk__in=sums.values("conversation"))
        return conversations


def _words(text: str) -> Q:
    """What a person types into the search field, by what it looks like."""
    if REFERENCE.fullmatch(text):
        plain = text.replace("-", "").upper()
        return Q(reference=f"{plain[:3]}-{plain[3:]}")
    try:
        return Q(pk=UUID(text)) | Q(Exists(Turn.objects.filter(pk=UUID(text), conversation=OuterRef("pk"))))
    except ValueError:
        pass
    if "@" in text:
        return Q(customer__email__icontains=text) | Q(contact_email__icontains=text)
    if number := NUMBER.search(text):
        said = Message.objects.filter(conversation=OuterRef("pk"), text__icontains=number[1])
        used = ToolCall.objects.filter(conversation=OuterRef("pk"), arguments__order_number=number[1].upper())
        return Q(Exists(said)) | Q(Exists(used))
    return Q(topic__icontains=text) | Q(customer__name__icontains=text)


def _one_of(value: str, allowed: list[str]) -> str:
    return value if value in allowed else ""


def _plain(value: str) -> str:
    return value.replace("\x00", "").strip()


def _name(value: str) -> str:
    """The name of a tool or model; also of one that is no more."""
    return _plain(value)[:64]


def _date(value: str) -> date | None:
    try:
        return min(date.fromisoformat(value), LAST_DAY)
    except ValueError:
        return None


def _decimal(value: str) -> Decimal | None:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and number > 0 else None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=timezone.get_current_timezone())
