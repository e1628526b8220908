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
# A conversation ended when its standing resolution says so, or, without one, when it was closed after a turn. Its
# surface is who they were at the end: that of its last turn, looked up (turn_in_order) for what is left alone. What
# people answered because staff said so (a careful start) is neither the assistant's success nor its failure.
_ENDED = """
WITH unresolved AS MATERIALIZED (
    SELECT c.id, c.closed_at FROM tickets_conversation c
    WHERE c.closed_at >= %(before)s AND c.closed_at < %(end)s AND c.channel <> 'task'
      AND NOT EXISTS (SELECT 1 FROM tickets_resolution r WHERE r.conversation_id = c.id AND r.revoked_at IS NULL)
), ended AS MATERIALIZED (
    SELECT r.conversation_id, r.at, CASE WHEN r.staff_id IS NULL THEN 'alone' ELSE 'person' END AS what, 0 AS rating
    FROM tickets_resolution r WHERE r.at >= %(before)s AND r.at < %(end)s AND r.revoked_at IS NULL
    UNION ALL
    SELECT u.id, u.closed_at, 'unresolved', 0 FROM unresolved u
    WHERE EXISTS (SELECT 1 FROM support_agent_turn t WHERE t.conversation_id = u.id)
    UNION ALL
    SELECT s.conversation_id, s.answered_at, 'rating', s.rating FROM tickets_survey s
    WHERE s.answered_at >= %(before)s AND s.answered_at < %(end)s AND s.rating IS NOT NULL
)
SELECT what, at >= %(start)s AS is_now,
       CASE WHEN at >= %(start)s THEN width_bucket(at, %(bars)s::timestamptz[]) - 1 ELSE 0 END AS bin, rating,
       count(*) AS number
FROM ended e
WHERE NOT EXISTS (
    SELECT 1 FROM tickets_escalation p WHERE p.conversation_id = e.conversation_id AND p.reason = 'people_first')
  AND (%(surface)s = '' OR %(surface)s = (
    SELECT t.surface FROM support_agent_turn t WHERE t.conversation_id = e.conversation_id
    ORDER BY t.created_at DESC LIMIT 1))
GROUP BY 1, 2, 3, 4
"""


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
