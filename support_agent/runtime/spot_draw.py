"""Which answers staff are to judge: drawn by chance each day, some kinds more often than others, each chance noted.

Every ended turn of the day lies in exactly one group; within a group all have the same chance. Whoever sums what staff
said lets each answer stand for 1 / chance others, and so reads off what holds for all of them.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from support_agent.env import env
from support_agent.models import SpotCheck, SpotLabel
from support_agent.runtime.spot_checks import spot_check_close
from tickets.models import Message
from tickets.models.conversations import ERASED

Drawn = SpotCheck.Drawn
DAY = timedelta(days=1)
KEPT = timedelta(days=14)
"""What nobody has judged by then is not judged any more: the records have moved on."""
SHARES = {Drawn.ESCALATED: 0.2, Drawn.DOUBTFUL: 0.15, Drawn.DISLIKED: 0.15}
FEWEST = 8  # below so many a day, all have the same chance
PAIRED = 5  # every fifth is judged by two
LOCK = 0x5B07C4EC

# A thumb down says most, then the hand-over, then the doubt. A turn while a person is awaited decides nothing.
_ENDED = """
WITH ended AS (
    SELECT t.id, CASE
        WHEN %(as_one)s THEN 'random'
        WHEN EXISTS (SELECT 1 FROM tickets_message m JOIN tickets_feedback f ON f.message_id = m.id
                     WHERE m.turn_id = t.id AND NOT f.helpful) THEN 'disliked'
        WHEN t.state = 'escalated' THEN 'escalated'
        WHEN t.doubtful THEN 'doubtful'
        ELSE 'random' END AS drawn
    FROM support_agent_turn t JOIN tickets_conversation c ON c.id = t.conversation_id
    WHERE t.created_at >= %(start)s AND t.created_at < %(end)s AND t.state IN ('answered', 'escalated')
      AND t.stop_requested = '' AND c.channel <> 'task'
      AND EXISTS (SELECT 1 FROM tickets_message m WHERE m.turn_id = t.id AND m.role = 'customer' AND m.text <> %(gone)s)
      AND NOT EXISTS (SELECT 1 FROM tickets_escalation e WHERE e.conversation_id = t.conversation_id
                      AND e.created_at < t.created_at AND (e.ended_at IS NULL OR e.ended_at > t.created_at))
), placed AS (
    SELECT id, drawn, count(*) OVER (PARTITION BY drawn) AS size,
           row_number() OVER (PARTITION BY drawn ORDER BY random()) AS place
    FROM ended
)
SELECT id, drawn, size FROM placed WHERE place <= %(most)s ORDER BY drawn, place
"""


def quotas(sizes: Mapping[str, int], number: int) -> dict[str, int]:
    """How many of each group, `number` together: its share, at least one, and what a small group leaves to the rest."""
    taken = {}
    for name, share in SHARES.items():
        if size := sizes.get(name, 0):
            taken[name.value] = min(size, max(1, round(number * share)))
    left = number - sum(taken.values())
    for name in (Drawn.RANDOM, *SHARES):
        more = min(left, sizes.get(name, 0) - taken.get(name.value, 0))
        if more > 0:
            taken[name.value] = taken.get(name.value, 0) + more
            left -= more
    return taken


@transaction.atomic
def spot_checks_draw(*, number: int | None = None, now: datetime | None = None) -> int:
    """Draw from the turns of the last full UTC day, once: how many were drawn now. Safe at any time, by several."""
    now, number = now or timezone.now(), env.spot_checks_a_day if number is None else number
    end = datetime(now.year, now.month, now.day, tzinfo=UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    spot_checks_drop(now)
    if not number or SpotCheck.objects.filter(turn__created_at__gte=end - DAY, turn__created_at__lt=end).exists():
        return 0
    checks = _drawn(end - DAY, end, number)
    SpotCheck.objects.bulk_create(checks)
    return len(checks)


def _drawn(start: datetime, end: datetime, number: int) -> list[SpotCheck]:
    """In an order of chance, so that who judges the first ones judges all kinds."""
    found = _ended(start, end, number)
    sizes = {drawn: size for _, drawn, size in found}
    left = quotas(sizes, number)
    chances = {name: taken / sizes[name] for name, taken in left.items()}
    picked: list[tuple[UUID, str]] = []
    for turn_id, drawn, _ in found:
        if left.get(drawn, 0):
            left[drawn] -= 1
            picked.append((turn_id, drawn))
    random.shuffle(picked)
    before = SpotCheck.objects.count()
    return [
        SpotCheck(turn_id=turn_id, drawn=drawn, chance=chances[drawn], wanted=1 + ((before + n) % PAIRED == PAIRED - 1))
        for n, (turn_id, drawn) in enumerate(picked)
    ]


def _ended(start: datetime, end: datetime, number: int) -> list[tuple[UUID, str, int]]:
    """(turn, group, how many its group has), `number` of each group at most, by chance; one query."""
    asked: dict[str, Any] = {"start": start, "end": end, "gone": ERASED, "most": number, "as_one": number < FEWEST}
    with connection.cursor() as cursor:
        cursor.execute(_ENDED, asked)
        return list(cursor.fetchall())


def spot_checks_drop(now: datetime) -> int:
    """Let go of what nobody can or will judge any more; how many. What one of two has judged counts as it is. Wants a
    transaction."""
    begun = SpotLabel.objects.filter(spot_check=OuterRef("pk")).exclude(accuracy="")
    gone = Message.objects.filter(turn_id=OuterRef("turn"), text=ERASED)
    unread = SpotCheck.objects.filter(closed_at=None)
    for half in unread.filter(Exists(begun), created_at__lt=now - KEPT).select_for_update(of=("self",)):
        spot_check_close(check=half)
    old = unread.filter(~Exists(begun), created_at__lt=now - KEPT)
    erased = unread.filter(Exists(gone), ~Exists(begun))
    return sum(dict(rows.delete()[1]).get(SpotCheck._meta.label, 0) for rows in (old, erased))
