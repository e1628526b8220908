"""Budgets: the worst case is reserved before a call and settled after it, so that parallel turns cannot overshoot.

One statement reserves at each running total in PostgreSQL; the turn's own limits are kept by its runner. What a dead
runner had reserved is found on the turn's row and charged as an estimate (I6, I9).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import connection, connections, transaction

from support_agent.agent.config import Limits
from support_agent.agent.errors import LimitReached, TurnLost
from support_agent.agent.types import ZERO
from support_agent.agent.types import Spend as Spent
from support_agent.models import Turn
from support_agent.models.limits import Spend
from support_agent.runtime.alert_rules import INFO, PAGE, WARNING
from support_agent.runtime.alerts import alert
from tickets.db import in_db
from tickets.models import Conversation
from tickets.sql import as_json, prepared

ALERT, SOFT = Decimal("0.75"), Decimal("0.80")
SHARED = ("surface", "system")  # at these limits everybody goes to people
NEAR = {"conversation": INFO, "customer": WARNING, "address": WARNING, "surface": WARNING, "system": WARNING}

_RESERVE = """
INSERT INTO support_agent_spend AS s (scope, key, period, spent_usd, reserved_usd) VALUES (%s, %s, %s, 0, %s)
ON CONFLICT (scope, key, period) DO UPDATE SET reserved_usd = s.reserved_usd + EXCLUDED.reserved_usd
WHERE s.spent_usd + s.reserved_usd + EXCLUDED.reserved_usd <= %s RETURNING s.spent_usd + s.reserved_usd
"""
# For a turn, in one statement and so in one short transaction: everybody's calls pass the system's row. The turn's row
# is locked first and the totals after, in their order, as in settling: with the renewal of leases, which locks many
# turns at once, another order is a deadlock. `sums` are what the totals come to with this; one too many, and nothing is
# written.
_HOLD = """
WITH ours AS MATERIALIZED (
  SELECT id FROM support_agent_turn WHERE id = %(turn)s AND attempt = %(attempt)s AND finished_at IS NULL
  FOR NO KEY UPDATE
), held AS MATERIALIZED (
  SELECT s.id, w.place, w.most, s.spent_usd + s.reserved_usd + %(usd)s::numeric AS total
  FROM ours, unnest(%(scopes)s::text[], %(keys)s::text[], %(periods)s::text[], %(limits)s::numeric[])
    WITH ORDINALITY AS w (scope, key, period, most, place)
  JOIN support_agent_spend s ON s.scope = w.scope AND s.key = w.key AND s.period = w.period
  ORDER BY w.place FOR NO KEY UPDATE OF s
), verdict AS MATERIALIZED (
  SELECT count(*) = cardinality(%(scopes)s::text[]) AND coalesce(bool_and(total <= most), true) AS fits FROM held
), added AS (
  UPDATE support_agent_spend s SET reserved_usd = s.reserved_usd + %(usd)s::numeric
  FROM held, verdict WHERE s.id = held.id AND verdict.fits
), noted AS (
  UPDATE support_agent_turn t SET reservation = %(reservation)s::jsonb FROM ours, verdict
  WHERE t.id = ours.id AND verdict.fits
)
SELECT EXISTS (SELECT FROM ours), coalesce((SELECT array_agg(total ORDER BY place) FROM held), '{}') AS sums
"""
_FULLEST = """
SELECT max((s.spent_usd + s.reserved_usd) / nullif(w.most, 0))
FROM unnest(%(scopes)s::text[], %(keys)s::text[], %(periods)s::text[], %(limits)s::numeric[])
  AS w (scope, key, period, most)
JOIN support_agent_spend s ON s.scope = w.scope AND s.key = w.key AND s.period = w.period
"""
_BEGIN_TOTALS = """
INSERT INTO support_agent_spend (scope, key, period, spent_usd, reserved_usd)
SELECT scope, key, period, 0, 0
FROM unnest(%(scopes)s::text[], %(keys)s::text[], %(periods)s::text[]) AS w (scope, key, period) ON CONFLICT DO NOTHING
"""
_SETTLE = """
UPDATE support_agent_spend SET spent_usd = spent_usd + %s, reserved_usd = greatest(0, reserved_usd - %s)
WHERE scope = %s AND key = %s AND period = %s
"""
_SPEND = """
INSERT INTO support_agent_spend AS s (scope, key, period, spent_usd, reserved_usd) VALUES (%s, %s, %s, %s, 0)
ON CONFLICT (scope, key, period) DO UPDATE SET spent_usd = s.spent_usd + EXCLUDED.spent_usd
"""


@dataclass(frozen=True, slots=True)
class Total:
    """One running total and its hard limit."""

    scope: str
    key: str
    period: str
    limit: Decimal


def totals_of(conversation: Conversation, surface: str, limits: Limits, now: datetime) -> list[Total]:
    """The totals a turn of this conversation counts towards, in the fixed order in which their rows are locked."""
    found = []
    if limits.conversation is not None:
        found.append(Total("conversation", str(conversation.pk), "", limits.conversation))
    if limits.day is not None:
        today = now.date().isoformat()
        if conversation.customer_id:
            found.append(Total("customer", str(conversation.customer_id), today, limits.day))
        elif conversation.address_hash:
            found.append(Total("address", conversation.address_hash, today, limits.day))
    if limits.surface_day is not None:
        found.append(Total("surface", surface, now.date().isoformat(), limits.surface_day))
    found.append(Total(*system_hour(now), limits.system_hour))
    return found


def system_hour(now: datetime) -> tuple[str, str, str]:
    """The row of all that is spent within the hour of `now`, in UTC."""
    return "system", "all", now.strftime("%Y%m%d%H")


class TurnBudget:
    """The engine's BudgetPort for one attempt at one turn."""

    def __init__(
        self,
        turn: Turn,
        conversation: Conversation,
        limits: Limits,
        *,
        surface: str = "",
        spent: Decimal = ZERO,
        tokens: int = 0,
        fullest: Decimal = ZERO,
    ) -> None:
        """`spent` and `tokens` are the turn's own so far, `fullest` what `fullest_of` says at its start; a draft's
        `conversation` and `surface` are those it is for."""
        self._surface = surface or turn.surface
        self._turn, self._conversation, self._limits = turn, conversation, limits
        own = turn.budget_usd
        self._turn_limit = min(self._limits.turn, own) if own is not None else self._limits.turn
        self._spent, self._tokens = spent, tokens
        self._fullest = fullest  # of the totals in the database, as a share of their limits

    def remaining(self) -> tuple[Decimal, int]:
        return max(ZERO, self._turn_limit - self._spent), max(0, self._limits.turn_tokens - self._tokens)

    def is_tight(self) -> bool:
        """Past the soft limit anywhere: a cheaper model and a shorter context from here on."""
        tokens = Decimal(self._tokens) / self._limits.turn_tokens
        return max(self._fullest, tokens, self._spent / self._turn_limit) >= SOFT

    async def reserve(self, usd: Decimal, tokens: int) -> None:
        usd_left, tokens_left = self.remaining()
        if usd > self._limits.step:
            raise LimitReached("step")
        if usd > usd_left:
            raise LimitReached("turn")
        if tokens > tokens_left:
            raise LimitReached("tokens")
        totals = totals_of(self._conversation, self._surface, self._limits, datetime.now(UTC))
        self._fullest = await in_db(_reserve_or_tell, self._turn, totals, usd)

    async def settle(self, reserved_usd: Decimal, spend: Spent) -> None:
        self._spent += spend.cost_usd  # the totals in the database are settled with the call's step (turns.checkpoint)
        self._tokens += spend.usage.total


def fullest_of(conversation: Conversation, surface: str, limits: Limits) -> Decimal:
    """How full the fullest of a turn's totals is, as a share of its limit; one query."""
    totals = totals_of(conversation, surface, limits, datetime.now(UTC))
    return prepared(_FULLEST, _columns(totals))[0][0] or ZERO


def _columns(totals: Sequence[Total]) -> dict[str, list[Any]]:
    """As the statements take them."""
    return {
        "scopes": [total.scope for total in totals],
        "keys": [total.key for total in totals],
        "periods": [total.period for total in totals],
        "limits": [total.limit for total in totals],
    }


class _Full(LimitReached):
    """The limit of one total: what it says comes after the transaction that found it, which leaves nothing behind."""

    def __init__(self, total: Total) -> None:
        super().__init__({"customer": "day", "address": "day"}.get(total.scope, total.scope))
        self.total = total


def _reserve_or_tell(turn: Turn, totals: list[Total], usd: Decimal) -> Decimal:
    """As `_reserve`, and a limit that is reached is an alert of its own."""
    try:
        return _reserve(turn, totals, usd)
    except _Full as full:
        _tell(full.total, None)
        raise


def _reserve(turn: Turn, totals: list[Total], usd: Decimal) -> Decimal:
    """Reserve for a turn, and keep on its row what and where. Raises LimitReached, and reserves nothing then."""
    rows = [[total.scope, total.key, total.period] for total in totals]
    reservation = {"usd": str(usd), "rows": rows, "attempt": turn.attempt}
    columns = _columns(totals)
    asked = {**columns, "turn": turn.pk, "attempt": turn.attempt, "usd": usd, "reservation": as_json(reservation)}
    is_ours, sums = prepared(_HOLD, asked)[0]
    if is_ours and len(sums) < len(totals):  # somebody's first call of the day
        prepared(_BEGIN_TOTALS, columns)
        is_ours, sums = prepared(_HOLD, asked)[0]
    if not is_ours:
        raise TurnLost  # a call that nobody wants is not made
    for total, spent in zip(totals, sums, strict=True):
        if spent > total.limit:
            raise _Full(total)
    turn.reservation = reservation
    shares = [spent / total.limit for total, spent in zip(totals, sums, strict=True)]
    for total, share in zip(totals, shares, strict=True):
        if share >= ALERT:
            _tell(total, share)
    return max(shares, default=ZERO)


@transaction.atomic
def reserve_totals(totals: Sequence[Total], usd: Decimal) -> Decimal:
    """Reserve at every total; how full the fullest is, as a share. Raises LimitReached, and reserves nothing then."""
    fullest = ZERO
    with connection.cursor() as cursor:
        for total in totals:
            cursor.execute(_RESERVE, [total.scope, total.key, total.period, usd, total.limit])
            row = cursor.fetchone()
            if row is None or usd > total.limit:
                raise _Full(total)
            share = (row[0] or usd) / total.limit
            fullest = max(fullest, share)
            if share >= ALERT:
                _tell(total, share)
    return fullest


def _tell(total: Total, share: Decimal | None) -> None:
    """Near its limit, or (without a share) at it."""
    key = f"{total.scope}:{total.key}:{total.period}"
    who = f"{'an' if total.scope == 'address' else 'a'} {total.scope}'s limit of {total.limit} USD"
    found: dict[str, Any] = {"total": f"{total.scope} {total.key} {total.period}".rstrip(), total.scope: total.key}
    # The system's hour is a condition that ends with it (alert_checks.budgets sees it too), the others are events.
    subject = key if total.scope == "system" else ""
    if share is None:
        severity = PAGE if total.scope in SHARED else NEAR[total.scope]
        text = f"The next call would pass {who}."
        alert("budget", subject or f"{key}:limit", text, subject=subject, severity=severity, **found)
    else:
        text = f"{share:.0%} of {who} is spent."
        alert("budget", key, text, subject=subject, severity=NEAR[total.scope], **found)


@transaction.atomic
def settle_reservation(turn: Turn, cost_usd: Decimal) -> bool:
    """Replace what the call in flight had reserved by what it cost, and forget the reservation with the commit.

    False when there is none, or somebody else was faster: it is settled once.
    """
    reservation = turn.reservation
    if reservation is None:
        return False
    transaction.on_commit(partial(setattr, turn, "reservation", None))
    if not Turn.objects.filter(pk=turn.pk, reservation=reservation).update(reservation=None):
        return False
    settle_totals(reservation["rows"], Decimal(reservation["usd"]), cost_usd)
    return True


@transaction.atomic
def settle_totals(rows: Sequence[Sequence[str]], reserved_usd: Decimal, cost_usd: Decimal) -> None:
    """Replace a reservation by what it cost, at each total: (scope, key, period)."""
    with connection.cursor() as cursor:
        for scope, key, period in rows:
            cursor.execute(_SETTLE, [cost_usd, reserved_usd, scope, key, period])


def spend_beside(usd: Decimal, *, using: str = "default") -> None:
    """Count what was paid outside of turns towards the system's hour; it has gone already, so no limit stops it."""
    with connections[using].cursor() as cursor:
        cursor.execute(_SPEND, [*system_hour(datetime.now(UTC)), usd])


def spent_of(scope: str, key: str, period: str = "") -> Decimal:
    """What was spent against one total, in USD."""
    row = Spend.objects.filter(scope=scope, key=key, period=period).values_list("spent_usd", flat=True).first()
    return row or ZERO
