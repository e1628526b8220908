"""Shares with their 95 % intervals.

**pass@1** is the mean over all runs. Its interval is Wilson's, with the number of runs divided by the design effect of
runs of one case being alike: repeating cases that always end the same adds nothing, and so narrows nothing.
**pass^k**, the share of cases that passed in all of their K runs, has Wilson's interval over cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

from support_agent import intervals

Tally = tuple[int, int]
"""How many of a case's runs passed, and how many there were."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share from 0 to 1 with the ends of its interval."""

    value: float
    low: float
    high: float

    def as_json(self) -> dict[str, float]:
        return {"value": round(self.value, 4), "low": round(self.low, 4), "high": round(self.high, 4)}


def wilson(share: float, n: float) -> Share:
    """Wilson's interval of a share seen in `n` trials; nothing is known of none."""
    found = intervals.wilson(share * n, n)
    return Share(found.value, found.low, found.high) if found else Share(0.0, 0.0, 1.0)


def pass_at_1(tallies: Sequence[Tally]) -> Share:
    """The mean over all runs; its trials are the runs, as many as they are worth."""
    runs = sum(n for _, n in tallies)
    if not runs:
        return wilson(0.0, 0)
    share = sum(held for held, _ in tallies) / runs
    return wilson(share, runs / _design_effect(tallies, share, runs))


def pass_hat_k(tallies: Sequence[Tally]) -> Share:
    """The share of cases whose runs all passed."""
    if not tallies:
        return wilson(0.0, 0)
    return wilson(sum(held == n for held, n in tallies) / len(tallies), len(tallies))


def pass_hat(tallies: Sequence[Tally], k: int) -> float:
    """How likely k runs of a case all pass, estimated without bias from more runs than k."""
    known = [comb(held, k) / comb(n, k) for held, n in tallies if n >= k]
    return sum(known) / len(known) if known else 0.0


def _design_effect(tallies: Sequence[Tally], share: float, runs: int) -> float:
    """How many runs tell as much as one independent run: 1 when a case's runs are unlike, their number when alike."""
    most = runs / len(tallies)
    if share in (0.0, 1.0):
        return most  # nothing is seen of how alike they are: the cautious end
    between = sum((held - share * n) ** 2 for held, n in tallies)
    return min(most, max(1.0, between / (runs * share * (1 - share))))
