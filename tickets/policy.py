"""The shop's rules as functions of facts: a `Verdict` comes out; no query, no clock of its own. Its sentences are in
the language that is active.

Every number a rule uses is a field of `Policy`; who names none gets the one in force, with the workspace's figures.
Days are UTC calendar days, counted inclusively: bought or delivered on day 0, day N is still within an N-day window.
Money is Decimal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tickets.figures import POLICY as POLICY
from tickets.figures import Policy as Policy
from tickets.languages import Words, day, number
from tickets.workspace import workspace

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
NOTHING_TO_SEND = {
    "cancelled": gettext_lazy("This order is already cancelled, so nothing of it can be sent back."),
    "returned": gettext_lazy("This order is already returned, so nothing of it can be sent back."),
    "refunded": gettext_lazy("This order is already refunded, so nothing of it can be sent back."),
}
NOTHING_TO_MEND = {
    "cancelled": gettext_lazy("This order is already cancelled, so there is nothing left to put right."),
    "refunded": gettext_lazy("This order is already refunded, so there is nothing left to put right."),
}
PROBLEMS_AFTER_DELIVERY = frozenset({"damaged", "wrong_item", "missing_item"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether something is allowed; when not, `code` for programs and `message` as a plain sentence for people."""

    ok: bool
    code: str = "ok"
    message: str = ""


OK = Verdict(True)


def in_force() -> Policy:
    """The figures as the workspace says them now."""
    return workspace().policy


def no(code: str, message: Words) -> Verdict:
    return Verdict(False, code, str(message))


@dataclass(frozen=True, slots=True)
class ReturnItem:
    """One line somebody wants to send back; `left` is bought minus returned minus on its way back."""

    sku: str
    name: str
    category: str
    left: int


@dataclass(frozen=True, slots=True)
class RefundFacts:
    """An order as a refund sees it. `refunded` is everything not rejected."""

    status: str
    paid: Decimal
    refunded: Decimal
    placed_at: datetime
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class ShipmentFacts:
    """A parcel as a complaint sees it; `last_scan_at` is its newest event, or when it was shipped."""

    status: str
    estimated_delivery: date | None
    delivered_at: datetime | None
    last_scan_at: datetime | None


def can_cancel(status: str, policy: Policy = POLICY) -> Verdict:
    """An order is cancelled only before it is packed."""
    if status in policy.cancellable:
        return OK
    if status == "cancelled":
        return no("already_cancelled", _("This order is already cancelled."))
    if status == "packed":
        return no(
            "already_packed",
            _("This order is already packed, so it can no longer be cancelled. Once it arrives it can be sent back."),
        )
    return no(
        "already_shipped",
        _("This order has already left us, so it can no longer be cancelled. It can be sent back instead."),
    )


def return_until(delivered_at: datetime | None, policy: Policy | None = None) -> date | None:
    """The last day a return may be asked for; None before delivery."""
    policy = policy or in_force()
    return delivered_at.date() + timedelta(days=policy.return_days) if delivered_at else None


def label_until(made_at: datetime, policy: Policy | None = None) -> date:
    """The last day a parcel may be handed over with its label."""
    policy = policy or in_force()
    return made_at.date() + timedelta(days=policy.label_days)


def return_fee(plan: str, policy: Policy | None = None) -> Decimal:
    """What is taken off the money back for the label."""
    policy = policy or in_force()
    return ZERO if plan in policy.plans_with_free_returns else policy.return_fee


def can_return(
    *,
    status: str,
    delivered_at: datetime | None,
    items: Sequence[ReturnItem],
    now: datetime,
    policy: Policy | None = None,
) -> Verdict:
    """Delivered, within the window, of a kind that comes back, and not already on its way back."""
    policy = policy or in_force()
    last_day = return_until(delivered_at, policy)
    if status not in policy.returnable or last_day is None:
        if status in policy.cancellable:
            return no("not_delivered", _("This order has not been sent yet: it can be cancelled instead."))
        if status in {"cancelled", "returned", "refunded"}:
            return no("order_closed", NOTHING_TO_SEND[status])
        return no("not_delivered", _("This order has not been delivered yet. It can be sent back once it arrives."))
    if now.date() > last_day:
        return no(
            "window_over",
            _("Returns are possible for %(days)s days after delivery; for this order that ended on %(day)s.")
            % {"days": policy.return_days, "day": day(last_day)},
        )
    for item in items:
        if category_key(item.category) in policy.not_returnable:
            return no(
                "not_returnable",
                _(
                    "%(item)s cannot be sent back: gift cards, stove fuel and personalised items are excluded from "
                    "returns."
                )
                % {"item": item.name},
            )
        if item.left < 1:
            return no(
                "already_returned",
                _("%(item)s has already been sent back or is on its way back.") % {"item": item.name},
            )
    return OK


def category_key(category: str) -> str:
    """'Gift cards' and 'gift_card' are the same kind of product."""
    key = category.strip().lower().replace(" ", "_").replace("-", "_")
    return key.removesuffix("s").replace("personalized", "personalised")


def can_refund(amount: Decimal, order: RefundFacts, *, now: datetime, policy: Policy | None = None) -> Verdict:
    """A refund without a return: of a paid order, within the window, up to what is left of the payment."""
    policy = policy or in_force()
    if amount <= 0:
        return no("amount_not_positive", _("The amount must be more than zero."))
    if order.paid <= 0 or order.status == "pending":
        return no("not_paid", _("This order has not been paid, so there is nothing to refund."))
    left = order.paid - order.refunded
    if left <= 0:
        return no("nothing_left", _("Everything that was paid for this order has already been refunded."))
    last_day = (order.delivered_at or order.placed_at).date() + timedelta(days=policy.refund_days)
    if now.date() > last_day:
        return no(
            "window_over",
            _("Refunds are possible for %(days)s days; for this order that ended on %(day)s.")
            % {"days": policy.refund_days, "day": day(last_day)},
        )
    if amount > left:
        return no(
            "over_remaining", _("At most %(amount)s of this order can still be refunded.") % {"amount": number(left)}
        )
    return OK


def needs_approval(amount: Decimal, *, of_order: Decimal, of_customer: Decimal, policy: Policy | None = None) -> bool:
    """Whether a person decides. The sums are what was refunded or awaits approval already: on the order, and to the
    customer within `refund_limit_days`."""
    policy = policy or in_force()
    return max(of_order, of_customer) + amount > policy.refund_limit


def can_report(
    kind: str,
    *,
    status: str,
    shipments: Sequence[ShipmentFacts],
    delivered_at: datetime | None,
    already_open: bool,
    now: datetime,
    policy: Policy | None = None,
) -> Verdict:
    """Whether a delivery problem of this kind can be reported now."""
    policy = policy or in_force()
    if status in {"cancelled", "refunded"}:
        return no("order_closed", NOTHING_TO_MEND[status])
    if not shipments:
        return no("not_shipped", _("Nothing of this order has been shipped yet."))
    if already_open:
        return no("already_reported", _("This problem is already reported and we are working on it."))
    if kind in PROBLEMS_AFTER_DELIVERY:
        return _after_delivery(delivered_at or _first_delivery(shipments), now, policy)
    return _lost(shipments, now, policy) if kind == "lost" else _late(shipments, now, policy)


def _first_delivery(shipments: Sequence[ShipmentFacts]) -> datetime | None:
    """Of a split order, what has arrived may be complained of before the rest is here."""
    times = [parcel.delivered_at for parcel in shipments if parcel.delivered_at]
    return max(times, default=None)


def _after_delivery(delivered_at: datetime | None, now: datetime, policy: Policy) -> Verdict:
    if delivered_at is None:
        return no("not_delivered", _("This order has not been delivered yet."))
    last_day = delivered_at.date() + timedelta(days=policy.problem_days)
    if now.date() > last_day:
        return no(
            "window_over",
            _(
                "Damage, wrong and missing items can be reported for %(days)s days after delivery; for this order that "
                "ended on %(day)s."
            )
            % {"days": policy.problem_days, "day": day(last_day)},
        )
    return OK


def _lost(shipments: Sequence[ShipmentFacts], now: datetime, policy: Policy) -> Verdict:
    if all(parcel.status == "pending" for parcel in shipments):
        return no("not_shipped", _("This order is still with us, so it cannot be lost."))
    if all(parcel.status in {"delivered", "returned"} for parcel in shipments):
        return no("marked_delivered", _("The carrier marked this order as delivered, so a person has to look into it."))
    silent_since = (now - timedelta(days=policy.lost_after_days)).date()
    for parcel in shipments:
        if parcel.status == "lost":
            return OK
        moving = parcel.status in {"in_transit", "delayed"}
        if moving and parcel.last_scan_at and parcel.last_scan_at.date() <= silent_since:
            return OK
    return no(
        "too_early",
        _("A parcel counts as lost when it has had no scan for %(days)s days; this one was scanned more recently.")
        % {"days": policy.lost_after_days},
    )


def _late(shipments: Sequence[ShipmentFacts], now: datetime, policy: Policy) -> Verdict:
    for parcel in shipments:
        arrived = parcel.delivered_at.date() if parcel.delivered_at else None
        recent = arrived is None or now.date() <= arrived + timedelta(days=policy.problem_days)
        if parcel.estimated_delivery and recent and (arrived or now.date()) > parcel.estimated_delivery:
            return OK
    return no("not_late", _("This order is not past its estimated delivery date."))
