"""The list of steps: what one filters by speed, error, model or tool. Found in an index alone, then fetched by id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import F, Q, QuerySet

from support_agent.models import Step, Turn
from support_agent.ops.selectors import reading
from support_agent.ops.selectors.filters import FAILED_STEPS, KINDS, PATHS, SURFACES, default_since, written
from support_agent.ops.selectors.patience import patience
from support_agent.ops.selectors.search import matching
from tickets.models import Conversation

PAGE = 100
PAGES = 200
EXPORT_PAGE, EXPORT_MOST = 1000, 100_000
SORTS = {
    "newest": ("-created_at",),
    "slowest": ("-duration_ms", "-created_at"),
    "first_token": (F("ttft_ms").desc(nulls_last=True), "-created_at"),
    "dearest": ("-cost_usd", "-created_at"),
    "output": ("-output_tokens", "-created_at"),
}
ANY_FAILURE = "bad"  # as a status: failed, error or cut


@dataclass(frozen=True, slots=True)
class StepFilter:
    """`slower` and `first_token` are milliseconds of the step, `min_cost` USD; the last five ask about its turn."""

    q: str = ""
    kind: str = ""
    status: str = ""
    tool: str = ""
    model: str = ""
    slower: int | None = None
    first_token: int | None = None
    min_cost: Decimal | None = None
    since: reading.Moment | None = None
    until: reading.Moment | None = None
    sort: str = "newest"
    surface: str = ""
    path: str = ""
    topic: str = ""
    prompt: str = ""
    state: str = ""
    any_time: bool = False

    @classmethod
    def read(cls, query: Mapping[str, str]) -> StepFilter:
        def given(name: str) -> str:
            return query.get(name, "")

        return cls(
            q=reading.plain(given("q"))[:200],
            kind=reading.one_of(given("kind"), KINDS),
            since=reading.moment(given("since")),
            until=reading.moment(given("until")),
            min_cost=reading.amount(given("min_cost")),
            slower=reading.whole(given("slower")),
            first_token=reading.whole(given("first_token")),
            sort=reading.one_of(given("sort"), SORTS.keys()) or "newest",
            surface=reading.one_of(given("surface"), SURFACES),
            path=reading.one_of(given("path"), PATHS),
            state=reading.one_of(given("state"), Turn.State.values),
            any_time=bool(given("any")),
            **{name: reading.name(given(name)) for name in ("status", "tool", "model", "topic", "prompt")},
        )

    @classmethod
    def read_bounded(cls, query: Mapping[str, str]) -> StepFilter:
        wanted = cls.read(query)
        is_open = wanted.any_time or wanted.since or wanted.until or wanted.q
        return wanted if is_open else replace(wanted, since=default_since())

    def as_query(self, **more: str) -> str:
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "any_time"}
        given = {name: written(value) for name, value in values.items() if value and value != "newest"}
        given |= {"any": "1"} if self.any_time else {}
        return urlencode(given | {name: value for name, value in more.items() if value})

    @property
    def anytime_query(self) -> str:
        return replace(self, since=None, until=None, any_time=True).as_query()

    @property
    def is_default(self) -> bool:
        return replace(self, since=None) == StepFilter() and self.since == default_since()

    def apply(self, steps: QuerySet[Step]) -> QuerySet[Step]:
        facts: dict[str, Any] = {
            "kind": self.kind, "tool": self.tool, "model": self.model, "duration_ms__gte": self.slower,
            "ttft_ms__gte": self.first_token, "cost_usd__gte": self.min_cost, "turn__surface": self.surface,
            "turn__path": self.path, "turn__topic": self.topic, "turn__prompt_version__startswith": self.prompt,
            "turn__state": self.state,
        }  # fmt: skip
        if self.status == ANY_FAILURE:
            facts["status__in"] = (*FAILED_STEPS, "cut")
        elif self.status:
            facts["status"] = self.status
        found = steps.filter(reading.within("created_at", self.since, self.until))
        if self.q:
            found = found.filter(turn__conversation__in=Conversation.objects.filter(matching(self.q)))
        return found.filter(**{name: value for name, value in facts.items() if value})


def steps_page(wanted: StepFilter, page: int = 1) -> tuple[list[Step], bool]:
    """One page of steps with their turns and conversations, and whether there are more; two queries. Raises TooSlow."""
    start = (page - 1) * PAGE
    with patience():
        found = wanted.apply(Step.objects.all()).order_by(*SORTS[wanted.sort], "-pk")
        ids = list(found.values_list("pk", flat=True)[start : start + PAGE + 1])
    rows = {step.pk: step for step in _whole(ids[:PAGE])}
    return [rows[key] for key in ids[:PAGE] if key in rows], len(ids) > PAGE


def all_steps(wanted: StepFilter, most: int = EXPORT_MOST) -> Iterator[Step]:
    """Every matching step, the newest first, read in pages as they are needed."""
    found = wanted.apply(Step.objects.all()).order_by("-created_at", "-pk")
    last: tuple[datetime, UUID] | None = None
    for _ in range(most // EXPORT_PAGE):
        after = Q() if last is None else Q(created_at__lt=last[0]) | Q(created_at=last[0], pk__lt=last[1])
        with patience():
            keys = list(found.filter(after).values_list("created_at", "pk")[:EXPORT_PAGE])
        rows = {step.pk: step for step in _whole([key for _, key in keys])}
        yield from (rows[key] for _, key in keys if key in rows)
        if len(keys) < EXPORT_PAGE:
            return
        last = keys[-1]


def _whole(ids: list[UUID]) -> QuerySet[Step]:
    """The rows of these ids without what was said in them."""
    return (
        Step.objects.filter(pk__in=ids)
        .select_related("turn__conversation")
        .defer("input", "output", "turn__checkpoint", "turn__tools_offered", "turn__reservation")
    )
