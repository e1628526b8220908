"""What each version of the assistant's prompt came to: cost, time, acceptance, hand-overs, resolutions, thumbs.

Turns note the assistant's version alone, so the planner's and the memory's have no figures of their own. Four queries
over the turns of one bounded span, each answered from an index.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from support_agent.agent.prompts import prompt

SPANS = {"week": timedelta(days=7), "month": timedelta(days=30), "quarter": timedelta(days=90)}
DEFAULT_SPAN = "month"
FEW = 100  # below so many, a share says little: its margin is about ten points
_NOTED = re.compile(r"assistant-db(\d+)-[0-9a-f]{8}")

_TURNS = """
SELECT prompt_version, count(*), sum(cost_usd), count(*) FILTER (WHERE state = 'escalated'),
  percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - created_at) * 1000)
    FILTER (WHERE finished_at IS NOT NULL),
  min(created_at), max(created_at)
FROM support_agent_turn
WHERE created_at >= %s AND created_at < %s AND prompt_version LIKE 'assistant-%%'
  AND state IN ('answered', 'escalated', 'failed')
GROUP BY 1
"""
_VERDICTS = """
SELECT t.prompt_version, count(*), count(*) FILTER (WHERE s.status = 'ok')
FROM support_agent_step s JOIN support_agent_turn t ON t.id = s.turn_id
WHERE s.kind = 'critic' AND s.created_at >= %s AND s.created_at < %s AND t.prompt_version LIKE 'assistant-%%' GROUP BY 1
"""
_RESOLVED = """
SELECT x.prompt_version, count(*), count(r.id), count(r.id) FILTER (WHERE r.staff_id IS NULL)
FROM (SELECT DISTINCT prompt_version, conversation_id FROM support_agent_turn
      WHERE created_at >= %s AND created_at < %s AND prompt_version LIKE 'assistant-%%') x
LEFT JOIN tickets_resolution r ON r.conversation_id = x.conversation_id AND r.revoked_at IS NULL GROUP BY 1
"""
_THUMBS = """
SELECT t.prompt_version, count(*), count(*) FILTER (WHERE f.helpful)
FROM tickets_feedback f JOIN tickets_message m ON m.id = f.message_id JOIN support_agent_turn t ON t.id = m.turn_id
WHERE f.created_at >= %s AND f.created_at < %s AND t.prompt_version LIKE 'assistant-%%' GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `whole`; None of nothing."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        return self.part / self.whole if self.whole else None

    @property
    def is_few(self) -> bool:
        return self.whole < FEW


@dataclass(frozen=True, slots=True)
class VersionFigures:
    """One version as turns note it; `number` is '' for a file, `is_past` for a file that has changed since."""

    noted: str
    number: str
    is_past: bool
    turns: int
    each_usd: Decimal
    p50_ms: int | None
    p95_ms: int | None
    accepted: Share
    escalated: Share
    resolved: Share  # of conversations
    alone: int  # of these, without a person
    thumbs: Share
    first_at: datetime
    last_at: datetime

    @property
    def is_few(self) -> bool:
        return self.turns < FEW


def version_figures(start: datetime, end: datetime) -> list[VersionFigures]:
    """The versions that spoke in the span, the one that spoke last first."""
    verdicts, resolved, thumbs = (_by_version(sql, start, end) for sql in (_VERDICTS, _RESOLVED, _THUMBS))
    found = []
    for noted, (turns, cost, escalated, percentiles, first_at, last_at) in _by_version(_TURNS, start, end).items():
        match = _NOTED.fullmatch(noted)
        talks, ended, alone = resolved.get(noted, (0, 0, 0))
        judged, accepted = verdicts.get(noted, (0, 0))
        thumbed, helpful = thumbs.get(noted, (0, 0))
        p50, p95 = percentiles or (None, None)
        found.append(
            VersionFigures(
                noted=noted,
                number=match[1] if match else "",
                is_past=match is None and noted != prompt("assistant").version,
                turns=turns,
                each_usd=cost / turns,
                p50_ms=None if p50 is None else round(p50),
                p95_ms=None if p95 is None else round(p95),
                accepted=Share(accepted, judged),
                escalated=Share(escalated, turns),
                resolved=Share(ended, talks),
                alone=alone,
                thumbs=Share(helpful, thumbed),
                first_at=first_at,
                last_at=last_at,
            )
        )
    return sorted(found, key=lambda one: one.last_at, reverse=True)


def _by_version(sql: str, start: datetime, end: datetime) -> dict[str, tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [start, end])
        return {row[0]: row[1:] for row in cursor.fetchall()}
