"""Budgets: the worst case is reserved before a call and settled after it, so that parallel turns cannot overshoot.

One statement reserves at each running total in PostgreSQL; the turn's own limits are kept by its runner. What a dead
runner had reserved is found on the turn's row and charged as an estimate (I6, I9).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from django.db import connection, transaction

from support_agent.agent.config import SYSTEM_HOUR_USD, Limits
from support_agent.agent.errors import LimitReached
from support_agent.agent.types import ZERO
from support_agent.agent.types import Spend as Spent
from support_agent.models import Turn
from support_agent.models.limits import Spend
from support_agent.runtime.alerts import alert
from tickets.db import in_db
from tickets.models import Conversation

ALERT, SOFT = Decimal("0.75"), Decimal("0.80")

_RESERVE = """
INSERT INTO support_agent_spend AS s (scope, key, period, spent_usd, reserved_usd) VALUES (%s, %s, %s, 0, %s)
ON CONFLICT (scope, key, period) DO UPDATE SET reserved_usd = s.reserved_usd + EXCLUDED.reserved_usd
WHERE s.spent_usd + s.reserved_usd + EXCLUDED.reserved_usd <= %s RETURNING s.spent_usd + s.reserved_usd
"""
_SETTLE = """
UPDATE support_agent_spend SET spent_usd = spent_usd + %s, reserved_usd = greatest(0, reserved_usd - %s)
WHERE scope = %s AND key = %s AND period = %s
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
    found.append(Total("system", "all", now.strftime("%Y%m%d%H"), SYSTEM_HOUR_USD))
    return found


class TurnBudget:
    """The engine's BudgetPort for one attempt at one turn."""

    def __init__(
        self,
        turn: Turn,
        conversation: Conversation,
        limits: Limits,
        *,
        spent: Decimal = ZERO,
        tokens: int = 0,
        fullest: Decimal = ZERO,
    ) -> None:
        """`spent` and `tokens` are the turn's own so far, `fullest` what `fullest_of` says at its start."""
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
        totals = totals_of(self._conversation, self._turn.surface, self._limits, datetime.now(UTC))
        self._fullest = await in_db(_reserve, self._turn, totals, usd)

    async def settle(self, reserved_usd: Decimal, spend: Spent) -> None:
        self._spent += spend.cost_usd
        self._tokens += spend.usage.total
        await in_db(settle_reservation, self._turn, spend.cost_usd)


def fullest_of(turn: Turn, conversation: Conversation, limits: Limits) -> Decimal:
    """How full the fullest of a turn's totals is, as a share of its limit; one query."""
    totals = totals_of(conversation, turn.surface, limits, datetime.now(UTC))
    rows = Spend.objects.filter(key__in=[total.key for total in totals])
    spent = {(row.scope, row.key, row.period): row.spent_usd + row.reserved_usd for row in rows}
    return max((spent.get((t.scope, t.key, t.period), ZERO) / t.limit for t in totals), default=ZERO)


@transaction.atomic
def _reserve(turn: Turn, totals: list[Total], usd: Decimal) -> Decimal:
    """Reserve at every total; how full the fullest is, as a share. Raises LimitReached, and reserves nothing then."""
    fullest = ZERO
    with connection.cursor() as cursor:
        for total in totals:
            cursor.execute(_RESERVE, [total.scope, total.key, total.period, usd, total.limit])
            row = cursor.fetchone()
            if row is None or usd > total.limit:
                raise LimitReached({"customer": "day", "address": "day"}.get(total.scope, total.scope))
            share = (row[0] or usd) / total.limit
            fullest = max(fullest, share)
            if share >= ALERT:
                _tell(total, share)
    turn.reservation = {"usd": str(usd), "rows": [[total.scope, total.key, total.period] for total in totals]}
    Turn.objects.filter(pk=turn.pk, attempt=turn.attempt).update(reservation=turn.reservation)
    return fullest


def _tell(total: Total, share: Decimal) -> None:
    alert(
        "budget",
        f"{total.scope}:{total.key}:{total.period}",
        f"{share:.0%} of a {total.scope}'s limit of {total.limit} USD is spent.",
        total=f"{total.scope} {total.key} {total.period}".rstrip(),
    )


@transaction.atomic
def settle_reservation(turn: Turn, cost_usd: Decimal) -> None:
    """Replace what the call in flight had reserved by what it cost; without a reservation nothing happens."""
    reservation, turn.reservation = turn.reservation, None
    if reservation is None:
        return
    if not Turn.objects.filter(pk=turn.pk, attempt=turn.attempt).update(reservation=None):
        return  # whoever took the turn over has settled it already
    with connection.cursor() as cursor:
        for scope, key, period in reservation["rows"]:
            cursor.execute(_SETTLE, [cost_usd, Decimal(reservation["usd"]), scope, key, period])


def spent_of(scope: str, key: str, period: str = "") -> Decimal:
    """What was spent against one total, in USD."""
    row = Spend.objects.filter(scope=scope, key=key, period=period).values_list("spent_usd", flat=True).first()
    return row or ZERO
