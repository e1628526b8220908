"""May we turn it up? Measured drafts by group, with intervals, and the rule that answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from support_agent.intervals import Estimate, wilson
from support_agent.models import Draft
from support_agent.ops.selectors.drafts import DIMENSIONS
from support_agent.runtime.drafts import because
from support_agent.runtime.modes import LIVE, Answering

Outcome = Draft.Outcome
JUDGED = (Outcome.SENT, Outcome.CHANGED, Outcome.DISCARDED, Outcome.IGNORED)
GOAL, ENOUGH, STEPS = 0.85, 50, (10, 50, 100)
FEWEST = 3  # judged drafts of a topic before it may be called one of the worst
NAMES: dict[str, Callable[[Any], str]] = {
    "week": lambda value: f"Week of {value.day} {value:%b}" if isinstance(value, datetime) else "–",
    "surface": lambda value: str(value).replace("_", " ").capitalize(),
    "topic": lambda value: str(value) or "No topic (simple question)",
    "subject": lambda value: str(value).capitalize() or "Not planned (simple question)",
    "language": str,
    "prompt": lambda value: str(value) or "–",
    "model": lambda value: str(value) or "–",
}
TITLES = {
    "week": "By week",
    "surface": "By surface",
    "topic": "By topic",
    "subject": "By subject",
    "language": "By language",
    "prompt": "By version of the prompt",
    "model": "By model",
}


@dataclass(slots=True)
class Group:
    """Some drafts: how many of each outcome, how many could be sent (nearly) as they were, what they cost in USD."""

    name: str
    key: Any = ""
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)  # of discards
    missing: Counter[str] = field(default_factory=Counter)  # why there was no draft
    usable: int = 0
    not_needed: int = 0
    cost: Decimal = Decimal(0)
    measured: int = 0
    words: int = 0
    likeness: float = 0.0

    def add(self, row: dict[str, Any]) -> None:
        number = int(row["number"])
        self.outcomes[row["outcome"]] += number
        self.cost += row["cost"] or 0
        self.usable += row["usable"]
        if row["outcome"] == Outcome.DISCARDED:
            self.reasons[row["why"]] += number
            if row["why"] == Draft.Why.NOT_NEEDED:
                self.not_needed += number
        if row["outcome"] == Outcome.NONE:
            self.missing[row["no_draft"]] += number
        if row["likeness"] is not None:
            self.measured, self.words = self.measured + number, self.words + int(row["words"] or 0)
            self.likeness += row["likeness"]

    @property
    def all(self) -> int:
        return sum(self.outcomes.values())

    @property
    def judged(self) -> int:
        """Staff did something with it that says how good it was; that none was needed says nothing."""
        return sum(self.outcomes[one] for one in JUDGED) - self.not_needed

    @property
    def nearly(self) -> int:
        """Changed so little that it counts as usable."""
        return self.usable - self.outcomes[Outcome.SENT]

    @property
    def share(self) -> Estimate | None:
        return wilson(self.usable, self.judged)

    @property
    def width(self) -> float:
        """Of the interval, for its bar."""
        return self.share.high - self.share.low if self.share else 0.0

    @property
    def similarity(self) -> float | None:
        """The mean, over what was sent from a draft or in place of one."""
        return self.likeness / self.measured if self.measured else None

    @property
    def words_each(self) -> float | None:
        return self.words / self.measured if self.measured else None

    @property
    def cost_each(self) -> Decimal:
        return self.cost / self.all if self.all else Decimal(0)

    @property
    def sent(self) -> int:
        return self.outcomes[Outcome.SENT]

    @property
    def changed_much(self) -> int:
        return self.outcomes[Outcome.CHANGED] - self.nearly

    @property
    def discarded(self) -> int:
        return self.outcomes[Outcome.DISCARDED] - self.not_needed

    @property
    def ignored(self) -> int:
        return self.outcomes[Outcome.IGNORED]

    @property
    def why_discarded(self) -> list[tuple[str, int]]:
        return [(str(Draft.Why(why).label), number) for why, number in self.reasons.most_common()]

    @property
    def why_none(self) -> list[tuple[str, int]]:
        return [(because(why), number) for why, number in self.missing.most_common()]


@dataclass(frozen=True, slots=True)
class Advice:
    """What the rule says for one surface; `next` is the share to go live for, None when it says to wait."""

    verdict: str  # up | wait | mend | done
    words: str
    next: int | None = None


def total_of(rows: Iterable[dict[str, Any]], name: str = "All drafts") -> Group:
    group = Group(name)
    for row in rows:
        group.add(row)
    return group


def grouped(rows: Iterable[dict[str, Any]], by: str) -> list[Group]:
    """Most judged first; weeks in their order."""
    groups: dict[Any, Group] = {}
    for row in rows:
        key = row[DIMENSIONS[by]]
        groups.setdefault(key, Group(NAMES[by](key if key is not None else ""), key)).add(row)
    found = list(groups.values())
    return sorted(found, key=lambda g: g.key) if by == "week" else sorted(found, key=lambda g: (-g.judged, g.name))


def worst_topics(rows: Iterable[dict[str, Any]], *, limit: int = 3) -> list[Group]:
    """Those with the lowest share that could be sent, of topics with a few judged drafts."""
    topics = [group for group in grouped(rows, "topic") if group.judged >= FEWEST and group.usable < group.judged]
    return sorted(topics, key=lambda group: (group.usable / group.judged, -group.judged))[:limit]


def advice(answering: Answering, share: Estimate | None) -> Advice:
    """The rule of the page: the lower end of the interval above GOAL, over ENOUGH judged drafts, is one step up."""
    if answering.mode == LIVE and answering.percent == 100:
        return Advice("done", "The assistant answers everybody here.")
    judged = share.cases if share else 0
    if share is None or judged < ENOUGH:
        return Advice("wait", f"Wait: {judged} of the {ENOUGH} drafts the rule needs were judged.")
    if share.low > GOAL:
        now = answering.percent if answering.mode == LIVE else 0
        step = next(step for step in STEPS if step > now)
        return Advice("up", f"Go live for {step} %: even the lower end of the interval is above {GOAL:.0%}.", step)
    if share.high < GOAL:
        return Advice(
            "mend", f"Not yet: even the upper end of the interval is under {GOAL:.0%}. Mend the worst topics."
        )
    return Advice("wait", f"Wait: {GOAL:.0%} lies within the interval; more drafts will tell.")
