"""Orders: cancelling, and taking the cancellation back.

Locks are taken in one order everywhere: conversation, action, customer, order. They are NO KEY locks, so that a row
which only refers to the locked one (a ticket, a message) never waits for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tickets import policy
from tickets.errors import Conflict, NotFound
from tickets.models import Action, Invoice, Order, Refund
from tickets.services.eligibility import require

NO_ORDER = gettext_lazy("We could not find an order with that number on this account.")
AFTER_CANCEL = {Invoice.Status.PAID: Invoice.Status.REFUNDED, Invoice.Status.OPEN: Invoice.Status.VOID}


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What a cancellation did: the money on its way back, and the invoices' states before it (id → status)."""

    order: Order
    refund: Refund | None
    invoices: dict[str, str]


def order_lock(*, customer_id: UUID, order_number: str) -> Order:
    """The customer's own order, locked to the end of the transaction; NotFound for a foreign or missing one."""
    mine = Order.objects.filter(customer=customer_id, order_number=order_number)
    order = mine.select_for_update(no_key=True).first()
    if order is None:
        raise NotFound(NO_ORDER)
    return order


@transaction.atomic
def order_cancel(*, customer_id: UUID, order_number: str, reason: str, action: Action | None = None) -> Cancelled:
    """Cancel an order that is not packed yet, and give back what was paid. Raises NotFound, NotEligible."""
    order = order_lock(customer_id=customer_id, order_number=order_number)
    require(policy.can_cancel(order.status))
    order.status_before_cancel, order.status = order.status, Order.Status.CANCELLED
    order.cancelled_at = timezone.now()
    order.save(update_fields=["status", "status_before_cancel", "cancelled_at"])
    left = order.paid_total - order.refunded_total
    refund = None
    if left > 0:
        refund = Refund.objects.create(order=order, action=action, amount=left, reason=reason)
        order.refresh_from_db(fields=["refunded_total"])
    return Cancelled(order, refund, _invoices_close(order))


@transaction.atomic
def order_uncancel(*, customer_id: UUID, order_number: str, invoices: dict[str, str]) -> Order:
    """Take a cancellation back as long as its money has not left. Raises NotFound, Conflict."""
    order = order_lock(customer_id=customer_id, order_number=order_number)
    if order.status != Order.Status.CANCELLED or not order.status_before_cancel:
        raise Conflict(_("This order is not cancelled any more."))
    refunds = Refund.objects.filter(order=order, action__tool="cancel_order").exclude(status=Refund.Status.REJECTED)
    for refund in refunds:
        if refund.status == Refund.Status.PAID:
            raise Conflict(_("The money is already on its way back, so the cancellation can no longer be undone."))
        refund.status = Refund.Status.REJECTED
        refund.save(update_fields=["status"])
    order.status, order.status_before_cancel, order.cancelled_at = order.status_before_cancel, "", None
    order.save(update_fields=["status", "status_before_cancel", "cancelled_at"])
    for invoice_id, status in invoices.items():
        Invoice.objects.filter(pk=invoice_id, order=order).update(status=status)
    order.refresh_from_db(fields=["refunded_total"])
    return order


def _invoices_close(order: Order) -> dict[str, str]:
    before: dict[str, str] = {}
    for invoice in Invoice.objects.filter(order=order, status__in=AFTER_CANCEL):
        before[str(invoice.pk)] = invoice.status
        invoice.status = AFTER_CANCEL[Invoice.Status(invoice.status)]
        invoice.save(update_fields=["status"])
    return before
