"""Two runs over the same cases: whether what changed is more than chance.

Only cases that came out differently tell the runs apart. If neither run were better, each of these would be as likely
to go one way as the other: a fair coin (McNemar's test, exact).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb, sqrt

from support_agent.intervals import Z

CERTAIN = 0.05


@dataclass(frozen=True, slots=True)
class Paired:
    """`fixed` and `broken` of `pairs` cases; the difference of the passed shares (second less first) with its 95 %
    interval, and the chance of a split as lopsided as this one if nothing had changed. None without a pair."""

    pairs: int
    fixed: int
    broken: int
    difference: float | None
    low: float | None
    high: float | None
    p: float | None

    @property
    def is_certain(self) -> bool:
        return self.p is not None and self.p < CERTAIN

    @property
    def told(self) -> str:
        """How much more or less of the cases the second passed: 4.2% more."""
        if not self.difference:
            return "as many"
        return f"{abs(self.difference):.1%} {'more' if self.difference > 0 else 'fewer'}"

    @property
    def interval(self) -> str:
        """-1.2 to +6.3 points"""
        if self.low is None or self.high is None:
            return ""
        return f"{self.low * 100:+.1f} to {self.high * 100:+.1f} points".replace("-", "−")

    @property
    def chance(self) -> str:
        """p as it is written: = 0.031, < 0.001"""
        return "" if self.p is None else "< 0.001" if self.p < 0.001 else f"= {self.p:.3f}" if self.p < 1 else "= 1"


def paired(*, pairs: int, fixed: int, broken: int) -> Paired:
    if not pairs:
        return Paired(0, 0, 0, None, None, None, None)
    low, high = _interval(pairs, fixed, broken)
    return Paired(pairs, fixed, broken, (fixed - broken) / pairs, low, high, mcnemar(fixed, broken))


def mcnemar(fixed: int, broken: int) -> float:
    """The two-sided exact p: 1 when as many were fixed as broken."""
    tosses = fixed + broken
    tail = sum(comb(tosses, heads) for heads in range(min(fixed, broken) + 1))
    return min(1.0, tail / 2.0 ** (tosses - 1))


def _interval(pairs: int, fixed: int, broken: int) -> tuple[float, float]:
    """Of the difference of two paired shares, by Bonett and Price (2012): holds also where few or none differ."""
    better, worse = (fixed + 1) / (pairs + 2), (broken + 1) / (pairs + 2)
    middle = better - worse
    reach = Z * sqrt((better + worse - middle**2) / (pairs + 2))
    return max(-1.0, middle - reach), min(1.0, middle + reach)
