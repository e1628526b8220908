"""What a few cases say of all: shares, means and ratios with their 95 % intervals, and how far two people agree.

Plain formulas with known values, tested against them; nothing here knows what is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import TypeVar

LEVEL = 0.95
Z = NormalDist().inv_cdf((1 + LEVEL) / 2)
Said = TypeVar("Said", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval, and how many cases it rests on."""

    value: float
    low: float
    high: float
    cases: int


def wilson(part: float, whole: float, *, cases: int | None = None) -> Estimate | None:
    """A share with Wilson's interval: `part` of `whole` (an effective size when weighted). None of nothing."""
    if whole <= 0:
        return None
    share, z2 = min(1.0, max(0.0, part / whole)), Z * Z
    middle = (share + z2 / (2 * whole)) / (1 + z2 / whole)
    half = Z / (1 + z2 / whole) * sqrt(share * (1 - share) / whole + z2 / (4 * whole * whole))
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return Estimate(share, min(low, share), max(high, share), round(whole) if cases is None else cases)


def weighted_share(rows: Iterable[tuple[bool, float]]) -> Estimate | None:
    """The share of what holds, each row (holds, weight) standing for `weight` others: Hájek's estimate.

    Its interval is Wilson's for Kish's effective size, (Σw)² / Σw²: with equal weights the plain one.
    """
    found = [(holds, weight) for holds, weight in rows if weight > 0]
    total = sum(weight for _, weight in found)
    if not total:
        return None
    share = sum(weight for holds, weight in found if holds) / total
    size = total * total / sum(weight * weight for _, weight in found)
    return wilson(share * size, size, cases=len(found))


def mean(counts: Mapping[int, int]) -> Estimate | None:
    """The mean of values counted by value, with Student's interval; with a single case it is as wide as unknown."""
    number = sum(counts.values())
    if not number:
        return None
    middle = sum(value * times for value, times in counts.items()) / number
    if number == 1:
        return Estimate(middle, float("-inf"), float("inf"), 1)
    variance = sum((value - middle) ** 2 * times for value, times in counts.items()) / (number - 1)
    half = student(number - 1) * sqrt(variance / number)
    return Estimate(middle, middle - half, middle + half, number)


def ratio(groups: Sequence[tuple[float, float]], *, cases: int) -> Estimate | None:
    """Σ above / Σ below over groups (days), with the interval of the ratio estimator: what varies is the group.

    None without anything below; with fewer than two groups it is as wide as unknown.
    """
    below, number = sum(group[1] for group in groups), len(groups)
    if below <= 0:
        return None
    value = sum(group[0] for group in groups) / below
    if number < 2:
        return Estimate(value, 0.0, float("inf"), cases)
    off = sum((above - value * under) ** 2 for above, under in groups) / (number - 1)
    half = student(number - 1) * sqrt(number * off) / below
    return Estimate(value, max(0.0, value - half), value + half, cases)


def student(freedom: int) -> float:
    """The two-sided 95 % quantile of Student's t; Hill's expansion, within 0.005 from five degrees on."""
    exact = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776}
    if freedom in exact:
        return exact[freedom]
    n, z = float(freedom), Z
    return (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
    )


def kappa(pairs: Sequence[tuple[Said, Said]]) -> float | None:
    """Cohen's kappa of what two people said of the same things: 1 is agreement, 0 is chance.

    None without pairs, and where both always said the same one thing: then chance explains everything.
    """
    if not pairs:
        return None
    number = len(pairs)
    agreed = sum(first == second for first, second in pairs) / number
    firsts, seconds = Counter(first for first, _ in pairs), Counter(second for _, second in pairs)
    by_chance = sum(times * seconds[said] for said, times in firsts.items()) / number**2
    return None if by_chance == 1 else (agreed - by_chance) / (1 - by_chance)
