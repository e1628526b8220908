"""Refunds without a return: small ones at the customer's click, the rest when a person approves."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets import policy
from tickets.errors import DeskError, NotFound
from tickets.models import Action, Customer, Invoice, Order, Refund, User
from tickets.selectors.orders import refund_facts, refund_sums
from tickets.services.orders import NO_ORDER, order_lock, require


class ApprovalNeeded(DeskError):
    """Eligible, but over what a click may move: a person decides."""

    code = "approval_needed"


def refund_check(order: Order, amount: Decimal, *, now: datetime, action: Action | None = None) -> bool:
    """Whether a person has to approve; `action` itself is left out of the sums. Raises NotEligible."""
    require(policy.can_refund(amount, refund_facts(order), now=now))
    of_order, of_customer = refund_sums(order=order, now=now, without=action.pk if action else None)
    return policy.needs_approval(amount, of_order=of_order, of_customer=of_customer)


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
    if refund_check(order, amount, now=timezone.now(), action=action) and approved_by is None:
        raise ApprovalNeeded(_("A person has to approve this refund."))
    refund = Refund.objects.create(order=order, action=action, amount=amount, reason=reason, approved_by=approved_by)
    order.refresh_from_db(fields=["refunded_total"])  # the trigger has moved it
    if order.refunded_total == order.paid_total and order.status != Order.Status.CANCELLED:
        order.status = Order.Status.REFUNDED
        order.save(update_fields=["status"])
        Invoice.objects.filter(order=order, status=Invoice.Status.PAID).update(status=Invoice.Status.REFUNDED)
    refund.order = order
    return refund
