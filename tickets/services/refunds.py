"""Refunds without a return: small ones at the customer's click, the rest when a person approves."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.errors import DeskError, NotFound
from tickets.models import Action, Customer, Invoice, Order, Refund, User
from tickets.selectors.order_records import order_record_of
from tickets.selectors.records import refund_records_since
from tickets.services.eligibility import refund_check, refunds_count_since, refunds_pending
from tickets.services.orders import NO_ORDER, order_lock


class ApprovalNeeded(DeskError):
    """Eligible, but over what a click may move: a person decides."""

    code = "approval_needed"


@transaction.atomic
def refund_create(
    *,
    customer_id: UUID,
    order_number: str,
    amount: Decimal,
    reason: str,
    action: Action | None = None,
    approved_by: User | None = None,
) -> Refund:
    """Refund part of an order. Raises NotFound, NotEligible, or ApprovalNeeded unless `approved_by` is given.

    The customer's row is locked before the order's: the limit sums over all of their orders.
    """
    if not Customer.objects.select_for_update(no_key=True).filter(pk=customer_id).exists():
        raise NotFound(NO_ORDER)
    order = order_lock(customer_id=customer_id, order_number=order_number)
    if _over_the_limit(order, amount, action) and approved_by is None:
        raise ApprovalNeeded(_("A person has to approve this refund."))
    refund = Refund.objects.create(order=order, action=action, amount=amount, reason=reason, approved_by=approved_by)
    order.refresh_from_db(fields=["refunded_total"])  # the trigger has moved it
    if order.refunded_total == order.paid_total and order.status != Order.Status.CANCELLED:
        order.status = Order.Status.REFUNDED
        order.save(update_fields=["status"])
        Invoice.objects.filter(order=order, status=Invoice.Status.PAID).update(status=Invoice.Status.REFUNDED)
    refund.order = order
    return refund


def _over_the_limit(order: Order, amount: Decimal, action: Action | None) -> bool:
    """Whether a person has to approve; `action` itself is left out of the sums. Raises NotEligible."""
    now, mine = timezone.now(), order.customer_id
    record = order_record_of(customer_id=mine, order_number=order.order_number, parts={"refunds"})
    if record is None:
        raise NotFound(NO_ORDER)
    pending = refunds_pending(customer_id=mine, order_number=order.order_number, without=action.pk if action else None)
    recent = refund_records_since(customer_id=mine, since=refunds_count_since(now))
    return refund_check(record, recent, amount=amount, pending=pending, now=now)
