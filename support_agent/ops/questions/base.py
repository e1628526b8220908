"""What a saved question is: asked over a span with filters, answered by a sentence and tables whose rows lead on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.utils import timezone

from support_agent.ops.selectors import reading
from support_agent.ops.selectors.filters import PATHS, SURFACES, default_since, written

SPANS = {"24 hours": 1, "7 days": 7, "30 days": 30, "90 days": 90}
LONG = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """The span and filters of a question, as they stand in its address."""

    since: reading.Moment | None = None
    until: reading.Moment | None = None
    surface: str = ""
    path: str = ""
    topic: str = ""
    tool: str = ""
    model: str = ""
    prompt: str = ""
    more_than: int = LONG

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Asked:
        def given(name: str) -> str:
            return query.get(name, "")

        return cls(
            since=reading.moment(given("since")) or default_since(),
            until=reading.moment(given("until")),
            surface=reading.one_of(given("surface"), SURFACES),
            path=reading.one_of(given("path"), PATHS),
            more_than=reading.whole(given("more_than")) or LONG,
            **{name: reading.name(given(name)) for name in ("topic", "tool", "model", "prompt")},
        )

    @property
    def start(self) -> datetime:
        found = reading.start_of(self.since)
        assert found is not None
        return found

    @property
    def end(self) -> datetime:
        return reading.end_of(self.until) or timezone.now()

    def as_query(self, **other: Any) -> str:
        values = {one.name: getattr(self, one.name) for one in fields(self)} | other
        return urlencode(
            {name: written(value) for name, value in values.items() if value and (name, value) != ("more_than", LONG)}
        )

    def spans(self) -> list[tuple[str, str, bool]]:
        """The usual spans: name, address, and whether it is this one."""
        found = []
        for name, days in SPANS.items():
            other = replace(self, since=timezone.localdate() - timedelta(days=days - 1), until=None)
            if days == 1:
                other = replace(other, since=(timezone.now() - timedelta(days=1)).replace(second=0, microsecond=0))
            found.append((name, other.as_query(), self._is(other)))
        return found

    def _is(self, other: Asked) -> bool:
        if isinstance(self.since, datetime) and isinstance(other.since, datetime):
            return self.until is None and abs(self.since - other.since) < timedelta(minutes=30)
        return (self.since, self.until) == (other.since, other.until)

    def turns(self, prefix: str = "") -> Q:
        """What is asked of turns, as a condition on a Turn or on what `prefix` leads to one from."""
        facts = {"surface": self.surface, "path": self.path, "topic": self.topic,
                 "prompt_version__startswith": self.prompt}  # fmt: skip
        return Q(**{prefix + name: value for name, value in facts.items() if value})

    def in_span(self) -> Q:
        return Q(created_at__gte=self.start, created_at__lt=self.end)

    def traces(self, **more: object) -> str:
        """The conversations behind a row."""
        return "/admin/traces/?" + self._link(more, ("surface", "path", "topic", "prompt"))

    def steps(self, **more: object) -> str:
        """The steps behind a row."""
        return "/admin/traces/steps/?" + self._link(more, ("surface", "path", "topic", "prompt", "tool", "model"))

    def _link(self, more: Mapping[str, object], names: tuple[str, ...]) -> str:
        values = {name: getattr(self, name) for name in ("since", "until", *names)} | dict(more)
        return urlencode({name: written(value) for name, value in values.items() if value})

    @property
    def words(self) -> str:
        """The span as a sentence says it."""
        last = f" to {_day(self.until)}" if self.until else ""
        return f"since {_day(self.since)}{last}" if not last else f"from {_day(self.since)}{last}"


@dataclass(frozen=True, slots=True)
class Cell:
    """`value` is what a CSV says, `text` what the page shows; `bar` draws a share of 1 behind it."""

    text: str
    value: object = None
    href: str = ""
    bar: float | None = None

    @property
    def raw(self) -> object:
        return self.text if self.value is None else self.value

    @property
    def is_short(self) -> bool:
        """Whether it stays on one line: a name, a date, a word or two."""
        return len(self.text) <= (18 if " " in self.text else 40)

    @property
    def width(self) -> float:
        return round(min(max(self.bar or 0.0, 0.0), 1.0) * 100, 1)


@dataclass(frozen=True, slots=True)
class Head:
    text: str
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Its first column names the row."""

    name: str
    title: str
    heads: list[Head]
    rows: list[list[Cell]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    sentence: str
    tables: list[Table] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Question:
    """`filters` names the fields of Asked that make sense for it, besides the span."""

    slug: str
    title: str
    about: str
    answer: Callable[[Asked], Answer]
    filters: tuple[str, ...] = ("surface", "topic", "prompt")


def heads(names: str) -> list[Head]:
    """Column heads from "Tool | Calls#"; a name that ends with '#' is of numbers."""
    return [Head(name.rstrip("#"), name.endswith("#")) for name in names.split(" | ")]


def many(number: int, noun: str, plural: str = "") -> str:
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def part(number: float, whole: float) -> str:
    return f"{number / whole:.1%}" if whole else "–"


def listed(words: list[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _day(value: date | datetime | None) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{timezone.localtime(value):%-d %B, %H:%M}"
    return f"{value:%-d %B}"
