"""What policy says of records, whichever system they come from: asked when something is offered, and again when it is
done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from tickets import policy
from tickets.backends.records import LineRecord, OrderRecord, ParcelRecord, RefundRecord
from tickets.errors import NotEligible
from tickets.models import Action
from tickets.policy import POLICY, ZERO


@dataclass(frozen=True, slots=True)
class Pending:
    """Refunds that are asked for and not in any record yet: those that await staff, and those on their way to another
    system (`sent`, of the order alone)."""

    of_order: Decimal
    of_customer: Decimal
    sent: Decimal


def require(verdict: policy.Verdict) -> None:
    """Raise NotEligible unless policy allows it."""
    if not verdict.ok:
        raise NotEligible(verdict.code, verdict.message)


def refunds_pending(*, customer_id: UUID, order_number: str, without: UUID | None = None) -> Pending:
    """Read it before the records: what is settled meanwhile then counts twice for a moment, and never not at all.
    `without` leaves one action out."""
    states = (Action.State.AWAITING_STAFF, Action.State.CONFIRMED)
    open_ones = Action.objects.filter(customer=customer_id, tool="request_refund", state__in=states)
    if without is not None:
        open_ones = open_ones.exclude(pk=without)
    of_order, of_customer, sent = ZERO, ZERO, ZERO
    for state, arguments in open_ones.values_list("state", "arguments"):
        amount = Decimal(arguments["amount"])
        of_customer += amount
        if arguments["order_number"] == order_number:
            of_order += amount
            sent += amount if state == Action.State.CONFIRMED else ZERO
    return Pending(of_order, of_customer, sent)


def refunds_count_since(now: datetime) -> datetime:
    """From when on a customer's refunds count towards what a click may move."""
    return now - timedelta(days=POLICY.refund_limit_days)


def refund_check(
    order: OrderRecord, recent: Iterable[RefundRecord], *, amount: Decimal, pending: Pending, now: datetime
) -> bool:
    """Whether a person has to approve; `recent` are the customer's since `refunds_count_since`. Raises NotEligible."""
    facts = policy.RefundFacts(
        status=order.status,
        paid=order.paid,
        refunded=order.refunded + pending.sent,
        placed_at=order.placed_at,
        delivered_at=order.delivered_at,
    )
    require(policy.can_refund(amount, facts, now=now))
    return policy.needs_approval(
        amount,
        of_order=_favours(order.refunds) + pending.of_order,
        of_customer=_favours(recent) + pending.of_customer,
    )


def return_check(order: OrderRecord, skus: Sequence[str]) -> list[policy.ReturnItem]:
    """What these SKUs (each with all its pieces that are left) would send back. Raises NotEligible."""
    items = [_item(line) for line in order.lines if line.sku in skus]
    missing = sorted(set(skus) - {item.sku for item in items})
    if missing:
        raise NotEligible("unknown_sku", _("This order has no item %(items)s.") % {"items": ", ".join(missing)})
    require(policy.can_return(status=order.status, delivered_at=order.delivered_at, items=items, now=timezone.now()))
    return items


def problem_check(order: OrderRecord, kind: str, *, now: datetime) -> None:
    """Raises NotEligible when policy does not allow this report."""
    require(
        policy.can_report(
            kind,
            status=order.status,
            shipments=[_facts(parcel) for parcel in order.parcels],
            delivered_at=order.delivered_at,
            already_open=kind in order.open_problems,
            now=now,
        )
    )


def _favours(refunds: Iterable[RefundRecord]) -> Decimal:
    """Money back for goods that stayed here or came back is no favour, so it does not count."""
    return sum((one.amount for one in refunds if one.is_favour and one.status != "rejected"), ZERO)


def _item(line: LineRecord) -> policy.ReturnItem:
    name = f"{line.name} {line.variant}".rstrip()
    return policy.ReturnItem(sku=line.sku, name=name, category=line.category, left=line.left)


def _facts(parcel: ParcelRecord) -> policy.ShipmentFacts:
    return policy.ShipmentFacts(
        status=parcel.status,
        estimated_delivery=parcel.estimated_delivery,
        delivered_at=parcel.delivered_at,
        last_scan_at=parcel.scans[0].at if parcel.scans else parcel.shipped_at,
    )
