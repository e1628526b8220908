"""What a benchmark finds: figures with their spread over the repeats of one run, in sections."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: `values` are its repeats in this run; its target is a bound, where it has one."""

    name: str
    values: tuple[float, ...]
    unit: str = ""
    digits: int = 2
    at_most: float | None = None
    at_least: float | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def holds(self) -> bool | None:
        """Whether the median keeps the target; None without one."""
        if self.at_most is not None:
            return self.median <= self.at_most
        return None if self.at_least is None else self.median >= self.at_least

    def cells(self) -> tuple[str, str, str, str]:
        """Name, median, spread, target: as they are shown."""
        spread = f"{self._shown(min(self.values))} – {self._shown(max(self.values))}" if len(self.values) > 1 else ""
        return self.name, f"{self._shown(self.median)} {self.unit}".strip(), spread, self._target()

    def _target(self) -> str:
        bound = self.at_most if self.at_most is not None else self.at_least
        if bound is None:
            return ""
        sign = "≤" if self.at_most is not None else "≥"
        return f"{sign} {self._shown(bound)} {'✓' if self.holds else '✗'}"

    def _shown(self, value: float) -> str:
        return f"{value:,.{self.digits}f}"


@dataclass(slots=True)
class Section:
    """One part of the page: what was measured and how, the figures, and lines below them."""

    title: str
    how: str
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Setting:
    """What every section is handed: a folder that goes afterwards, how often to repeat, whether it may take long."""

    folder: Path
    say: Callable[[str], None]
    repeats: int = 3
    is_long: bool = False


Measure = Callable[[Setting], Section]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, ...]:
    """Repeat by repeat, so that what slows the whole machine slows both sides."""
    return tuple(one / other for one, other in zip(ours, theirs, strict=True))


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0 to 1) of the values do not exceed; 0 without any."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
