"""How the assistant does, in a span and in the one before it: everything the dashboards show, in five queries."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from support_agent.agent.types import StepKind
from support_agent.ops.selectors.outcomes import outcomes
from support_agent.ops.selectors.sums import Sums
from support_agent.ops.spans import Span
from support_agent.runtime.buckets import percentile
from support_agent.runtime.rollups import summed_upto
from tickets.models import EscalationReason

Json = dict[str, Any]
CUSTOMERS = 8
ZERO = Decimal(0)
ASSISTANT_ALONE = ("confirmed", "assumed")


@dataclass(slots=True)
class Pulse:
    """The figures of one span; a share is None where there is nothing to share."""

    turns: int = 0
    conversations: int = 0  # that began within it; tasks of programs are none
    failed_turns: int = 0
    turn_steps: int = 0
    escalated: int = 0  # conversations, those whose customer asked for a person not counted
    cost_usd: Decimal = ZERO
    judged: int = 0
    accepted: int = 0
    prompt_tokens: int = 0
    cache_read_tokens: int = 0
    output_tokens: int = 0
    revoked: int = 0
    resolved: Counter[str] = field(default_factory=Counter)
    ratings: Counter[int] = field(default_factory=Counter)
    spread: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))

    @property
    def escalation_share(self) -> float | None:
        return _share(self.escalated, self.conversations)

    @property
    def acceptance(self) -> float | None:
        return _share(self.accepted, self.judged)

    @property
    def cache_share(self) -> float | None:
        return _share(self.cache_read_tokens, self.prompt_tokens)

    @property
    def resolutions(self) -> int:
        return sum(self.resolved.values())

    @property
    def alone(self) -> int:
        """Resolved by the assistant, without a person."""
        return sum(self.resolved[kind] for kind in ASSISTANT_ALONE)

    @property
    def alone_share(self) -> float | None:
        return _share(self.alone, self.resolutions)

    @property
    def rating(self) -> float | None:
        number = sum(self.ratings.values())
        return sum(rating * times for rating, times in self.ratings.items()) / number if number else None

    @property
    def steps_each(self) -> float | None:
        return self.turn_steps / self.turns if self.turns else None

    @property
    def median_words(self) -> int | None:
        """Of accepted answers, counted exactly: their buckets are numbers of words."""
        number, passed = sum(self.spread["words"].values()), 0
        for words in sorted(self.spread["words"]):
            passed += self.spread["words"][words]
            if passed * 2 >= number:
                return words
        return None

    def answer_ms(self, share: float) -> int | None:
        """A percentile of the time from the message to the finished answer; see runtime.buckets for its error."""
        return percentile(self.spread["turn"], share)


@dataclass(slots=True)
class Readings:
    """A span read once. Groups map a name to its row of sums; lists by bin follow `span.bars`."""

    span: Span
    now: Pulse
    before: Pulse
    models: dict[str, Json] = field(default_factory=dict)
    surfaces: dict[str, Json] = field(default_factory=dict)
    paths: dict[str, Json] = field(default_factory=dict)
    topics: dict[str, Json] = field(default_factory=dict)
    tools: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    asked: dict[str, Json] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    clock: dict[int, Json] = field(default_factory=dict)
    customers: list[Json] = field(default_factory=list)
    turns: Counter[int] = field(default_factory=Counter)
    conversations: Counter[int] = field(default_factory=Counter)
    escalations: Counter[int] = field(default_factory=Counter)
    resolutions: Counter[int] = field(default_factory=Counter)
    costs: dict[int, Decimal] = field(default_factory=dict)
    cached: dict[int, float] = field(default_factory=dict)  # the share of prompt tokens, where there were any
    verdicts: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    answers: dict[int, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    steps: Counter[int] = field(default_factory=Counter)
    took: dict[tuple[str, str], Counter[int]] = field(default_factory=lambda: defaultdict(Counter))

    def took_ms(self, measure: str, name: str, share: float) -> int | None:
        """A percentile of model calls, their first tokens or tool calls by name."""
        return percentile(self.took[measure, name], share)


def readings_of(span: Span) -> Readings:
    """Six queries, whatever the span: from sums, but for what is not summed yet."""
    sums = Sums(span, summed_upto())
    found = Readings(span, Pulse(), Pulse(), customers=sums.customers(CUSTOMERS))
    for row in sums.steps():
        _step(found, row)
    for row in sums.turns():
        _turn(found, row)
    for row in sums.tallies():
        _tally(found, row)
    for row in outcomes(span):
        _outcome(found, row)
    return found


def _step(found: Readings, row: Json) -> None:
    what, name = row["what"], row["name"]
    if what == "kind":
        half = found.now if row["is_now"] else found.before
        half.cost_usd += row["cost_usd"]
        half.prompt_tokens += int(row["input_tokens"] + row["cache_read_tokens"] + row["cache_write_tokens"])
        half.cache_read_tokens += int(row["cache_read_tokens"])
        half.output_tokens += int(row["output_tokens"])
        if name == StepKind.CRITIC:
            half.judged += int(row["steps"])
            half.accepted += int(row["steps"]) if row["detail"] == "ok" else 0
    elif what == "model" and name:
        found.models[name] = row
    elif what == "surface":
        found.surfaces[name] = row
    elif what == "tool" and name:
        found.tools[name][row["detail"]] += int(row["steps"])
    elif what == "bin":
        found.costs[row["bin"]] = row["cost_usd"]
        if prompt := row["input_tokens"] + row["cache_read_tokens"] + row["cache_write_tokens"]:
            found.cached[row["bin"]] = float(row["cache_read_tokens"] / prompt)
    elif what == "critic" and name:
        found.verdicts[name][row["bin"]] += int(row["steps"])


def _turn(found: Readings, row: Json) -> None:
    what, name = row["what"], row["name"]
    if what == "state":
        half = found.now if row["is_now"] else found.before
        half.turns += int(row["turns"])
        half.conversations += int(row["conversations"])
        half.turn_steps += int(row["steps"])
        half.failed_turns += int(row["turns"]) if name == "failed" else 0
    elif what == "bin":
        found.turns[row["bin"]] = int(row["turns"])
        found.conversations[row["bin"]] = int(row["conversations"])
    elif what == "surface":
        found.surfaces.setdefault(name, {}).update(turns=row["turns"], conversations=row["conversations"])
    elif name:
        (found.topics if what == "topic" else found.paths)[name] = row


def _tally(found: Readings, row: Json) -> None:
    what, bucket, number = row["what"], row["bucket"], int(row["number"])
    half = found.now if row["is_now"] else found.before
    if what in ("turn", "first_text", "words"):
        half.spread[what][bucket] += number
    if not row["is_now"]:
        return
    if what == "turn":
        found.answers[row["bin"]][bucket] += number
    elif what in ("model", "first_token", "tool"):
        found.took[what, row["name"]][bucket] += number
    elif what == "steps":
        found.steps[bucket] += number
    elif what == "clock":
        found.clock[bucket] = row
    elif what == "asked":
        found.asked[row["name"]] = row


def _outcome(found: Readings, row: Json) -> None:
    half = found.now if row["is_now"] else found.before
    what, number = row["what"], row["number"]
    if what == "escalated":
        half.escalated = number
    elif what == "revoked":
        half.revoked = number
    elif what == "rating":
        half.ratings[int(row["name"])] += number
    elif what == "resolved":
        half.resolved[row["name"]] += number
        if row["is_now"]:
            found.resolutions[row["bin"]] += number
    elif row["is_now"]:
        found.reasons[EscalationReason(row["name"]).value] += number
        found.escalations[row["bin"]] += number


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
