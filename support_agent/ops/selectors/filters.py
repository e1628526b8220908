"""The filters of the trace list, as they stand in its address; what is asked of a turn holds for one and the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone

from support_agent.agent.types import StepKind, Surface
from support_agent.models import Step, ToolCall, Turn
from support_agent.ops.selectors import reading
from support_agent.ops.selectors.search import matching
from tickets.models import Conversation, Escalation, EscalationReason, Feedback

FAILED_STEPS = ("failed", "error")
PATHS = ["fast", "planned", "assist"]
THUMBS = ["down", "up"]
KINDS = [kind.value for kind in StepKind]
SURFACES = [surface.value for surface in Surface]
ANY_REASON = "any"
DEFAULT_DAYS = 7
MORE = ("path", "topic", "model", "prompt", "reason", "min_steps", "slower", "first_text", "kind", "step_status",
        "thumb", "max_rating", "locale", "channel")  # fmt: skip


@dataclass(frozen=True, slots=True)
class TraceFilter:
    """`q` is a reference, an e-mail, a number of ours, an id, or words of a topic or name.

    `since` and `until` say when what is asked for happened: the turn, step or escalation where one is asked for, else
    the conversation's last message. `slower` and `first_text` are milliseconds of a turn from its message on.
    """

    q: str = ""
    status: str = ""
    state: str = ""
    surface: str = ""
    since: reading.Moment | None = None
    until: reading.Moment | None = None
    errors: bool = False
    min_cost: Decimal | None = None
    tool: str = ""
    path: str = ""
    model: str = ""
    topic: str = ""
    prompt: str = ""
    min_steps: int | None = None
    slower: int | None = None
    first_text: int | None = None
    kind: str = ""
    step_status: str = ""
    reason: str = ""
    thumb: str = ""
    max_rating: int | None = None
    locale: str = ""
    channel: str = ""
    any_time: bool = False

    @classmethod
    def read(cls, query: Mapping[str, str]) -> TraceFilter:
        def given(name: str) -> str:
            return query.get(name, "")

        return cls(
            q=reading.plain(given("q"))[:200],
            status=reading.one_of(given("status"), Conversation.Status.values),
            state=reading.one_of(given("state"), Turn.State.values),
            surface=reading.one_of(given("surface"), SURFACES),
            since=reading.moment(given("since")),
            until=reading.moment(given("until")),
            errors=bool(given("errors")),
            min_cost=reading.amount(given("min_cost")),
            path=reading.one_of(given("path"), PATHS),
            kind=reading.one_of(given("kind"), KINDS),
            reason=reading.one_of(given("reason"), [ANY_REASON, *EscalationReason.values]),
            thumb=reading.one_of(given("thumb"), THUMBS),
            channel=reading.one_of(given("channel"), Conversation.Channel.values),
            tool=reading.name(given("tool")),
            model=reading.name(given("model")),
            topic=reading.name(given("topic")),
            prompt=reading.name(given("prompt")),
            step_status=reading.name(given("step_status")),
            min_steps=reading.whole(given("min_steps")),
            slower=reading.whole(given("slower")),
            first_text=reading.whole(given("first_text")),
            max_rating=reading.whole(given("max_rating")),
            locale=reading.name(given("locale"))[:12],
            any_time=bool(given("any")),
        )

    @classmethod
    def read_bounded(cls, query: Mapping[str, str]) -> TraceFilter:
        """As read; what asks for turns or steps looks at the last seven days, unless dates or words are given.

        `any` looks at any time. Without such a filter the newest conversations are found without a span.
        """
        wanted = cls.read(query)
        is_given = wanted.any_time or wanted.since or wanted.until or wanted.q
        if is_given or not (wanted._asks_inside or wanted.min_cost):
            return wanted
        return replace(wanted, since=default_since())

    @property
    def is_default(self) -> bool:
        return self == TraceFilter()

    def as_query(self, **more: str) -> str:
        """The same filter as a query string, with `more` in it; '' when nothing is filtered."""
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "any_time"}
        given = {name: written(value) for name, value in values.items() if value} | (
            {"any": "1"} if self.any_time else {}
        )
        return urlencode(given | {name: value for name, value in more.items() if value})

    def apply(self, conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
        if self.q:
            conversations = conversations.filter(matching(self.q))
        plain = {"status": self.status, "channel": self.channel, "locale__istartswith": self.locale}
        conversations = conversations.filter(**{name: value for name, value in plain.items() if value})
        if self.max_rating:
            conversations = conversations.filter(survey__rating__lte=self.max_rating)
        if self.thumb:
            said = Feedback.objects.filter(message__conversation=OuterRef("pk"), helpful=self.thumb == "up")
            conversations = conversations.filter(Exists(said))
        conversations = self._in_time(conversations)
        for condition in (self._turns(), self._steps(), self._escalations(), self._failures()):
            if condition is not None:
                conversations = conversations.filter(condition)
        if self.min_cost:
            sums = Turn.objects.filter(conversation=OuterRef("pk")).order_by().values("conversation")
            total = Subquery(sums.annotate(usd=Sum("cost_usd")).values("usd"))
            conversations = conversations.alias(usd=total).filter(usd__gte=self.min_cost)
        return conversations

    @property
    def anytime_query(self) -> str:
        return replace(self, since=None, until=None, any_time=True).as_query()

    @property
    def is_heavy(self) -> bool:
        """Whether more than the newest conversations must be looked at."""
        return bool(self._asks_inside or self.min_cost or self.q or self.thumb or self.max_rating)

    @property
    def asks_more(self) -> bool:
        """Whether something is asked that the page keeps under "More filters"."""
        return any(getattr(self, name) for name in MORE)

    @property
    def _asks_inside(self) -> bool:
        return any((self.turn_facts(), self.step_facts(), self.tool, self.reason, self.errors))

    def _in_time(self, conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
        """By the last message; where something inside is asked for, the conversation may have gone on since."""
        if not self._asks_inside:
            return conversations.filter(reading.within("last_message_at", self.since, self.until))
        day_before = reading.start_of(self.since)  # the last message may be a moment older than its turn
        recent = reading.within("last_message_at", day_before and day_before - timedelta(days=1), None)
        return conversations.filter(recent & reading.within("created_at", None, self.until))

    def turn_facts(self, prefix: str = "") -> dict[str, Any]:
        """What is asked of a turn, as lookups of a Turn, or of what `prefix` leads to one from."""
        begun = F(f"{prefix}created_at")
        facts = {
            "state": self.state, "surface": self.surface, "path": self.path, "topic": self.topic,
            "prompt_version__startswith": self.prompt, "step_count__gte": self.min_steps,
            "finished_at__gte": self.slower and begun + timedelta(milliseconds=self.slower),
            "first_text_at__gte": self.first_text and begun + timedelta(milliseconds=self.first_text),
        }  # fmt: skip
        return {prefix + name: value for name, value in facts.items() if value}

    def step_facts(self) -> dict[str, str]:
        facts = {"kind": self.kind, "model": self.model, "status": self.step_status}
        return {name: value for name, value in facts.items() if value}

    def _turns(self) -> Exists | None:
        if not (facts := self.turn_facts()):
            return None
        within = reading.within("created_at", self.since, self.until)
        return Exists(Turn.objects.filter(within, conversation=OuterRef("pk"), **facts))

    def _steps(self) -> Exists | None:
        within = reading.within("created_at", self.since, self.until)
        if facts := self.step_facts():
            if self.tool:
                facts["tool"] = self.tool
            return Exists(Step.objects.filter(within, turn__conversation=OuterRef("pk"), **facts))
        if self.tool:
            return Exists(ToolCall.objects.filter(within, conversation=OuterRef("pk"), tool=self.tool))
        return None

    def _escalations(self) -> Exists | None:
        if not self.reason:
            return None
        within = reading.within("created_at", self.since, self.until)
        of_reason = Q() if self.reason == ANY_REASON else Q(reason=self.reason)
        return Exists(Escalation.objects.filter(within, of_reason, conversation=OuterRef("pk")))

    def _failures(self) -> Q | None:
        if not self.errors:
            return None
        within = reading.within("created_at", self.since, self.until)
        steps = Step.objects.filter(within, status__in=FAILED_STEPS).values("turn__conversation")
        turns = Turn.objects.filter(within, state=Turn.State.FAILED).values("conversation")
        return Q(pk__in=steps) | Q(pk__in=turns)


def default_since() -> reading.Moment:
    """A week with today as its last day."""
    return timezone.localdate() - timedelta(days=DEFAULT_DAYS - 1)


def written(value: object) -> str:
    """A filter's value as it stands in an address."""
    if value is True:
        return "1"
    return value.isoformat() if isinstance(value, reading.Moment) else str(value)
