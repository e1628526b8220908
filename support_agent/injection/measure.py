"""Recall and false alarms on the families held out, of the rules, the classifier and both together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from support_agent.agent.guard import CAUTIOUS_FROM, guard
from support_agent.injection.corpus import DISGUISES, Split, families, texts, written

Z = 1.96  # 95 %


@dataclass(frozen=True, slots=True)
class Rate:
    """`hits` of `total`, with Wilson's interval."""

    name: str
    hits: int
    total: int

    @property
    def share(self) -> float:
        return self.hits / self.total

    @property
    def interval(self) -> tuple[float, float]:
        n, p = self.total, self.share
        middle = p + Z * Z / (2 * n)
        half = Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
        return max(0.0, (middle - half) / (1 + Z * Z / n)), min(1.0, (middle + half) / (1 + Z * Z / n))

    def __str__(self) -> str:
        low, high = self.interval
        return f"| {self.name} | {self.hits} of {self.total} | {self.share:.2%} | {low:.2%} to {high:.2%} |"


def rules_alarm(text: str) -> bool:
    return guard(text).rules >= CAUTIOUS_FROM


def classifier_alarms(text: str) -> bool:
    return guard(text).likeness >= CAUTIOUS_FROM


def guard_alarms(text: str) -> bool:
    return guard(text).cautious


def rate(name: str, found: Iterable[str], alarms: Callable[[str], bool] = guard_alarms) -> Rate:
    verdicts = [alarms(text) for text in found]
    return Rate(name, sum(verdicts), len(verdicts))


def ordinary(split: Split = "test") -> list[str]:
    """Ordinary messages that nothing was trained on: the families held out, and the project's other labelled ones."""
    return texts("ordinary", split) + (written() if split == "test" else [])


def report(split: Split = "test") -> Iterator[Rate]:
    """False alarms, then recall: in all, by rules and classifier alone, by family and by disguise."""
    attacks, innocent = texts("attacks", split), texts("innocent", split)
    for name, found in (("ordinary", ordinary(split)), ("innocent with trigger words", innocent), ("attacks", attacks)):
        yield rate(f"**{name}**", found)
        yield rate(f"{name}, by the rules alone", found, rules_alarm)
        yield rate(f"{name}, by the classifier alone", found, classifier_alarms)
    for family in families("attacks"):
        if family.split == split:
            yield rate(f"attacks: {family.name}", family.texts)
    plain: Sequence[str] = [text for text in attacks if text.isascii()]
    for name, disguise in DISGUISES.items():
        yield rate(f"attacks in {name}", map(disguise, plain))
    yield rate("attacks after an ordinary message", hidden(attacks, texts("ordinary", split)))


def hidden(attacks: Sequence[str], around: Sequence[str]) -> Iterator[str]:
    """Each attack between two ordinary messages."""
    for at, attack in enumerate(attacks):
        yield f"{around[at * 3 % len(around)]} {attack} {around[at * 5 % len(around)]}"
