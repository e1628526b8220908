"""The numbers that the shop's rules use."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Policy:
    """The defaults of the house. Amounts in the workspace's currency, windows in days or minutes as their names say."""

    proposal_minutes: int = 30
    undo_minutes: int = 15
    cancellable: frozenset[str] = frozenset({"pending", "paid"})
    returnable: frozenset[str] = frozenset({"delivered", "partly_returned"})
    return_days: int = 30
    label_days: int = 14
    return_fee: Decimal = Decimal("4.90")
    plans_with_free_returns: frozenset[str] = frozenset({"plus", "enterprise"})
    not_returnable: frozenset[str] = frozenset({"gift_card", "stove_fuel", "fuel", "personalised"})
    refund_days: int = 60
    refund_limit: Decimal = Decimal("100.00")
    refund_limit_days: int = 30
    problem_days: int = 14
    lost_after_days: int = 10


POLICY = Policy()
