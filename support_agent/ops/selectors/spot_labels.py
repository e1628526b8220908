"""What staff said of drawn answers, beside what the assistant did with them. Closed checks alone: until then they are
blind. Of two labels the first counts; the second says how far people agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q

from support_agent.agent.confidence import DEFAULT_THRESHOLD, THRESHOLDS
from support_agent.models import SpotCheck, SpotLabel
from tickets.models import EscalationReason

Json = dict[str, Any]
NO_PLAN = "no plan"

# Checks are few (some thousand a year) and read whole; all else hangs on their turns by key: the turn, its labels
# (spot_label_once), its conversation's escalations, its first plan (step_once_per_attempt).
_LABELLED = """
SELECT s.id, s.drawn, s.chance, t.id, t.conversation_id, c.reference, t.created_at, t.state = 'escalated', t.confidence,
       coalesce(e.reason, ''), coalesce(p.subject, ''), l.needs, l.accuracy
FROM support_agent_spotcheck s JOIN support_agent_turn t ON t.id = s.turn_id
JOIN tickets_conversation c ON c.id = t.conversation_id
JOIN LATERAL (
    SELECT array_agg(l.needs_person ORDER BY l.created_at, l.id) AS needs,
           array_agg(l.accuracy ORDER BY l.created_at, l.id) AS accuracy
    FROM support_agent_spotlabel l WHERE l.spot_check_id = s.id AND l.accuracy <> ''
) l ON l.needs IS NOT NULL
LEFT JOIN LATERAL (
    SELECT e.reason FROM tickets_escalation e
    WHERE e.conversation_id = t.conversation_id AND e.created_at >= t.created_at
      AND e.created_at <= coalesce(t.finished_at, t.created_at) + interval '2 seconds'
    ORDER BY e.created_at LIMIT 1
) e ON true
LEFT JOIN LATERAL (
    SELECT x.output->>'subject' AS subject FROM support_agent_step x
    WHERE x.turn_id = t.id AND x.kind = 'plan' ORDER BY x.attempt, x.index LIMIT 1
) p ON true
WHERE s.closed_at IS NOT NULL AND s.created_at >= %(start)s
  AND t.created_at >= %(start)s AND t.created_at < %(end)s AND (%(surface)s = '' OR t.surface = %(surface)s)
ORDER BY t.created_at DESC, t.id
"""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A judged answer. `reason` is why it was handed over, '' when it was not; `chance` that of being drawn."""

    check_id: UUID
    drawn: str
    chance: float
    turn_id: UUID
    conversation_id: UUID
    reference: str
    at: datetime
    escalated: bool
    confidence: float | None
    reason: str
    subject: str
    needs: list[bool]
    accuracies: list[str]

    @property
    def weight(self) -> float:
        """How many turns it stands for."""
        return 1 / self.chance

    @property
    def needed(self) -> bool:
        return self.needs[0]

    @property
    def accuracy(self) -> str:
        return self.accuracies[0]

    @property
    def accuracy_words(self) -> str:
        return str(SpotLabel.Accuracy(self.accuracy).label)

    @property
    def drawn_words(self) -> str:
        return str(SpotCheck.Drawn(self.drawn).label)

    @property
    def reason_words(self) -> str:
        return str(EscalationReason(self.reason).label) if self.reason else ""

    @property
    def topic(self) -> str:
        """The subject that its threshold went by."""
        return self.subject if self.subject in THRESHOLDS else NO_PLAN

    @property
    def by_rule(self) -> bool:
        """Handed over for something else than doubt (asked for, money, a failing tool): whatever the threshold."""
        return self.escalated and self.reason != EscalationReason.UNSURE

    @property
    def is_told(self) -> bool:
        """Whether it could be told right or wrong."""
        return self.accuracy != SpotLabel.Accuracy.UNCLEAR

    @property
    def is_right(self) -> bool:
        return self.accuracy == SpotLabel.Accuracy.ACCURATE


@dataclass(frozen=True, slots=True)
class Group:
    """How many of a group were drawn and judged, and of those that could be told how many were right."""

    name: str
    drawn: int
    judged: int
    told: int
    right: int
    stands_for: float  # turns each, on average

    @property
    def share(self) -> float | None:
        return self.right / self.told if self.told else None


def labelled(start: datetime, end: datetime, surface: str = "") -> list[Labelled]:
    """The judged turns of a stretch of time, newest first; one query."""
    with connection.cursor() as cursor:
        cursor.execute(_LABELLED, {"start": start, "end": end, "surface": surface})
        return [Labelled(*row) for row in cursor.fetchall()]


def groups_of(rows: list[Labelled], start: datetime, end: datetime, surface: str = "") -> list[Group]:
    """What the judged answers rest on, group by group; one query."""
    checks = SpotCheck.objects.filter(created_at__gte=start, turn__created_at__gte=start, turn__created_at__lt=end)
    if surface:
        checks = checks.filter(turn__surface=surface)
    counted = (
        checks.order_by().values("drawn").annotate(number=Count("pk"), closed=Count("pk", Q(closed_at__isnull=False)))
    )
    known = {row["drawn"]: row for row in counted}
    found = []
    for group in SpotCheck.Drawn:
        if group.value not in known:
            continue
        mine = [row for row in rows if row.drawn == group.value]
        told = [row for row in mine if row.is_told]
        each = sum(row.weight for row in mine) / len(mine) if mine else 0.0
        right = sum(row.is_right for row in told)
        found.append(Group(str(group.label), known[group.value]["number"], len(mine), len(told), right, each))
    return found


def threshold_of(topic: str) -> float:
    """Below it, the assistant asks back once, and then hands over."""
    return THRESHOLDS.get(topic, DEFAULT_THRESHOLD)
