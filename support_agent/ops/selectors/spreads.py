"""Percentiles by group without sorting: values are counted in narrow buckets, which a hash can do in one pass.

A bucket is 4 per cent wide and knows its least and greatest value, so that few values give exact percentiles.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, F, FloatField, IntegerField, Max, Min, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Floor, Ln

FINENESS = 25  # buckets per factor e
Row = dict[str, Any]


@dataclass
class Spread:
    """How the values of one group lie: buckets as (least, greatest, number), from the smallest up."""

    buckets: list[tuple[float, float, int]] = field(default_factory=list)
    sums: dict[str, Any] = field(default_factory=dict)

    @property
    def number(self) -> int:
        return sum(count for _, _, count in self.buckets)

    def at(self, share: float) -> float | None:
        """The value below which this share of the values lies; None without values."""
        if not self.buckets:
            return None
        place = share * (self.number - 1)
        low = self._nth(int(place))
        return low + (self._nth(min(int(place) + 1, self.number - 1)) - low) * (place - int(place))

    def _nth(self, n: int) -> float:
        for least, greatest, count in self.buckets:
            if n < count:
                return least + (greatest - least) * n / (count - 1) if count > 1 else least
            n -= count
        return self.buckets[-1][1]


def spreads(
    rows: QuerySet[Any], by: Sequence[str], value: str | Combinable, **sums: Any
) -> dict[tuple[Any, ...], Spread]:
    """The spread of `value` in each group of rows, with `sums` (aggregates that add up) in it; one query."""
    number = F(value) if isinstance(value, str) else value
    bucket = Cast(Floor(Ln(Cast(number, FloatField()) + 1.0) * FINENESS), IntegerField())
    grouped = rows.order_by().annotate(place=bucket, weighed=number).values(*by, "place")
    counted = grouped.annotate(n_rows=Count("*"), least=Min("weighed"), greatest=Max("weighed"), **sums)
    found: dict[tuple[Any, ...], Spread] = defaultdict(Spread)
    for row in sorted(counted, key=lambda row: -1 if row["place"] is None else row["place"]):
        spread = found[tuple(row[name] for name in by)]
        if row["place"] is not None:
            spread.buckets.append((row["least"], row["greatest"], row["n_rows"]))
        for name in sums:
            spread.sums[name] = spread.sums.get(name, 0) + row[name]
    return dict(found)
