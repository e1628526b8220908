"""How long a customer who waits for a person has to wait: honest, or not said at all."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any
from uuid import UUID

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from tickets import hours
from tickets.models import Escalation
from tickets.selectors.escalations import awake

LOOKED_BACK = timedelta(days=14)
LATEST, ENOUGH = 50, 10  # first replies that count; fewer than enough say nothing


@dataclass(frozen=True, slots=True)
class Place:
    """Where a waiting conversation stands in its team's line; `minutes` is None when nothing honest can be said."""

    conversation_id: UUID
    team: str
    position: int
    is_open: bool
    minutes: int | None
    is_slow: bool  # it has taken longer than usual already
    opens_at: datetime | None
    due_at: datetime

    def as_frame(self) -> dict[str, Any]:
        """The passing frame `queue`; what is unknown is left out."""
        frame: dict[str, Any] = {
            "type": "queue",
            "team": self.team,
            "queue_position": self.position,
            "is_open": self.is_open,
            "due_at": self.due_at.isoformat(),
        }
        if self.minutes is not None:
            frame["wait_minutes"] = self.minutes
        if self.is_slow:
            frame["is_slow"] = True
        if self.opens_at is not None:
            frame["opens_at"] = self.opens_at.isoformat()
        return frame


def places(conversation_ids: Collection[UUID], now: datetime) -> dict[UUID, Place]:
    """The places of those of these conversations that wait: the most urgent deadline of a team is number 1.

    What staff have snoozed stands in no line.
    """
    line = Escalation.objects.filter(awake(now), status=Escalation.Status.WAITING).annotate(
        position=Window(RowNumber(), partition_by=F("team"), order_by=[F("due_at").asc(), F("created_at").asc()])
    )
    rows = [
        row
        for row in line.values_list("conversation_id", "team_id", "team__name", "position", "created_at", "due_at")
        if row[0] in conversation_ids
    ]
    usual = {team_id: usual_wait(team_id, now) for team_id in {row[1] for row in rows}}
    return {row[0]: _place(*row, usual=usual[row[1]], now=now) for row in rows}


def usual_wait(team_id: UUID, now: datetime) -> timedelta | None:
    """The median of opening hours between asking and the first reply; None with fewer than ten in two weeks."""
    answered = (
        Escalation.objects.filter(
            team=team_id, first_reply_at__isnull=False, created_at__gt=now - LOOKED_BACK, created_at__lte=now
        )
        .order_by("-created_at")
        .values_list("created_at", "first_reply_at")[:LATEST]
    )
    waits = [hours.open_between(asked, replied).total_seconds() for asked, replied in answered if replied]
    return timedelta(seconds=median(waits)) if len(waits) >= ENOUGH else None


def _place(
    conversation_id: UUID,
    team_id: UUID,
    team: str,
    position: int,
    asked_at: datetime,
    due_at: datetime,
    *,
    usual: timedelta | None,
    now: datetime,
) -> Place:
    is_open = hours.is_open(now)
    left = None if usual is None else usual - hours.open_between(asked_at, now)
    is_slow = is_open and left is not None and left <= timedelta()
    minutes = None
    if is_open and left is not None and not is_slow and hours.is_open(now + left):
        minutes = _rounded(left)
    return Place(
        conversation_id=conversation_id,
        team=team,
        position=position,
        is_open=is_open,
        minutes=minutes,
        is_slow=is_slow,
        opens_at=None if is_open else hours.next_opening(now),
        due_at=due_at,
    )


def _rounded(left: timedelta) -> int:
    """Whole minutes, coarser the longer it takes: no more exact than we know it."""
    minutes = max(1, round(left.total_seconds() / 60))
    step = 1 if minutes <= 10 else 5 if minutes <= 60 else 15
    return max(1, step * round(minutes / step))
