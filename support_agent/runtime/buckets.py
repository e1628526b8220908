"""Buckets of time with fixed bounds, a fourth root of two apart, and percentiles read off how many lie in each.

A percentile read so is the true one (the nearest rank) but for a factor of at most 2^(1/8): 9.1 % either way. Under a
millisecond it is 0, from 35 minutes on it is 35 minutes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

STEP = 4  # buckets to each doubling
TOP = 21 * STEP
BOUNDS = [2 ** (k / STEP) for k in range(TOP + 1)]  # bucket k holds what is at least BOUNDS[k - 1] and below BOUNDS[k]
MOST_OFF = 2 ** (1 / (2 * STEP)) - 1


def bucket_of(milliseconds: float) -> int:
    """0 below one millisecond, TOP + 1 from 35 minutes on; the same as width_bucket over BOUNDS in PostgreSQL."""
    low, high = 0, len(BOUNDS)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if milliseconds >= BOUNDS[middle] else (low, middle)
    return low


def middle_of(bucket: int) -> float:
    """The value that stands for a bucket: in milliseconds, its geometric middle."""
    if bucket <= 0:
        return 0.0
    if bucket > TOP:
        return BOUNDS[-1]
    return math.sqrt(BOUNDS[bucket - 1] * BOUNDS[bucket])


def percentile(counts: Mapping[int, int], share: float) -> int | None:
    """The value, in whole milliseconds, at or below which `share` of what was counted lies; None of nothing."""
    total = sum(counts.values())
    if not total:
        return None
    rank, passed = max(1, math.ceil(share * total)), 0
    for bucket in sorted(counts):
        passed += counts[bucket]
        if passed >= rank:
            return round(middle_of(bucket))
    raise AssertionError("a rank lies within its total")
