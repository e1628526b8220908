"""The four axes over what happened: how conversations ended, what was spent, what claims rested on, how it was rated.

Costs and claims come from the sums (and from the rows of what is not summed yet); how conversations ended from
resolutions by `at`, conversations by `conversation_ended`, surveys by `survey_by_time`. Three statements, each half a
span's worth, whatever the number of steps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection

from support_agent.ops.selectors.sums import Sums
from support_agent.ops.spans import Span
from support_agent.runtime.rollups import summed_upto

Json = dict[str, Any]
# Who they were at the end: the surface of the conversation's last turn.
_SURFACE = """(%(surface)s = '' OR %(surface)s = (
    SELECT t.surface FROM support_agent_turn t WHERE t.conversation_id = {of} ORDER BY t.created_at DESC LIMIT 1))"""

# A conversation ended when its standing resolution says so, or, without one, when it was closed after a turn.
_ENDED = f"""
SELECT CASE WHEN alone THEN 'alone' WHEN resolved THEN 'person' ELSE 'unresolved' END AS what,
       at >= %(start)s AS is_now,
       CASE WHEN at >= %(start)s THEN width_bucket(at, %(bars)s::timestamptz[]) - 1 ELSE 0 END AS bin, 0 AS rating,
       count(*) AS number
FROM (
    SELECT r.at, r.staff_id IS NULL AS alone, true AS resolved FROM tickets_resolution r
    WHERE r.at >= %(before)s AND r.at < %(end)s AND r.revoked_at IS NULL AND {_SURFACE.format(of="r.conversation_id")}
    UNION ALL
    SELECT c.closed_at, false, false FROM tickets_conversation c
    WHERE c.closed_at >= %(before)s AND c.closed_at < %(end)s AND c.channel <> 'task'
      AND NOT EXISTS (SELECT 1 FROM tickets_resolution r WHERE r.conversation_id = c.id AND r.revoked_at IS NULL)
      AND EXISTS (SELECT 1 FROM support_agent_turn t WHERE t.conversation_id = c.id)
      AND {_SURFACE.format(of="c.id")}
) ended GROUP BY 1, 2, 3
UNION ALL
SELECT 'rating', s.answered_at >= %(start)s,
       CASE WHEN s.answered_at >= %(start)s THEN width_bucket(s.answered_at, %(bars)s::timestamptz[]) - 1 ELSE 0 END,
       s.rating, count(*)
FROM tickets_survey s WHERE s.answered_at >= %(before)s AND s.answered_at < %(end)s AND s.rating IS NOT NULL
  AND {_SURFACE.format(of="s.conversation_id")}
GROUP BY 2, 3, 4
"""  # noqa: S608 - put together from constants


@dataclass(slots=True)
class Stretch:
    """One stretch of time: conversations by how they ended, claims, ratings, USD."""

    alone: int = 0
    person: int = 0
    unresolved: int = 0
    backed: int = 0
    unbacked: int = 0
    cost_usd: Decimal = Decimal(0)
    ratings: Counter[int] = field(default_factory=Counter)

    @property
    def ended(self) -> int:
        return self.alone + self.person + self.unresolved

    @property
    def resolutions(self) -> int:
        return self.alone + self.person

    @property
    def claims(self) -> int:
        return self.backed + self.unbacked

    def add(self, other: Stretch) -> None:
        self.alone += other.alone
        self.person += other.person
        self.unresolved += other.unresolved
        self.backed += other.backed
        self.unbacked += other.unbacked
        self.cost_usd += other.cost_usd
        self.ratings += other.ratings


@dataclass(slots=True)
class Happened:
    """A span bar by bar, whole, and the one before it."""

    span: Span
    surface: str
    bars: list[Stretch]
    before: Stretch = field(default_factory=Stretch)
    now: Stretch = field(default_factory=Stretch)


def happened(span: Span, surface: str = "") -> Happened:
    """Four queries, and what bounds the memory of two of them."""
    found = Happened(span, surface, [Stretch() for _ in span.bars])
    sums = Sums(span, summed_upto())
    _take(found, ({**row, "what": "spent"} for row in sums.spent(surface)))
    _take(found, ({**row, "what": "backed" if row["backed"] else "unbacked"} for row in sums.claims(surface)))
    with connection.cursor() as cursor:
        asked: Json = {"before": span.before, "start": span.start, "end": span.end, "bars": span.bars}
        cursor.execute(_ENDED, asked | {"surface": surface})
        names = [column.name for column in cursor.description or ()]
        _take(found, (dict(zip(names, row, strict=True)) for row in cursor.fetchall()))
    for bar in found.bars:
        found.now.add(bar)
    return found


def _take(found: Happened, rows: Iterable[Json]) -> None:
    for row in rows:
        stretch = found.bars[row["bin"]] if row["is_now"] else found.before
        what = row["what"]
        if what == "spent":
            stretch.cost_usd += row["cost_usd"]
        elif what == "rating":
            stretch.ratings[row["rating"]] += row["number"]
        else:
            setattr(stretch, what, getattr(stretch, what) + int(row["number"]))
