"""Returns: a number and a label now, the money when the parcel is here."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets import jobs, policy
from tickets.errors import Conflict, NotEligible, NotFound
from tickets.models import Action, Order, Return, ReturnLine
from tickets.numbers import return_number
from tickets.queue import enqueue
from tickets.selectors.orders import order_of_customer, return_items
from tickets.services.orders import NO_ORDER, order_lock, require


def return_check(order: Order, skus: Sequence[str]) -> list[policy.ReturnItem]:
    """What these SKUs (each with all its pieces that are left) would send back. Raises NotEligible."""
    items = return_items(order, skus)
    missing = sorted(set(skus) - {item.sku for item in items})
    if missing:
        raise NotEligible("unknown_sku", _("This order has no item %(items)s.") % {"items": ", ".join(missing)})
    require(policy.can_return(status=order.status, delivered_at=order.delivered_at, items=items, now=timezone.now()))
    return items


@transaction.atomic
def return_create(
    *, customer_id: UUID, order_number: str, skus: Sequence[str], reason: str, action: Action | None = None
) -> Return:
    """Open a return and mail its label. Raises NotFound, NotEligible."""
    order_lock(customer_id=customer_id, order_number=order_number)
    order = order_of_customer(customer_id=customer_id, order_number=order_number)
    if order is None:
        raise NotFound(NO_ORDER)
    left = {item.sku: item.left for item in return_check(order, skus)}
    parcel = Return.objects.create(
        number=return_number(), order=order, action=action, reason=reason, fee=policy.return_fee(order.customer.plan)
    )
    ReturnLine.objects.bulk_create(
        ReturnLine(parent=parcel, order_line=line, quantity=left[line.sku])
        for line in order.lines.all()
        if line.sku in left
    )
    enqueue(jobs.mail_return_label, str(parcel.pk), queue="mail")
    return parcel


@transaction.atomic
def return_cancel(*, customer_id: UUID, number: str) -> Return:
    """Take a return back while only its label is out. Raises NotFound, Conflict."""
    mine = Return.objects.filter(number=number, order__customer=customer_id)
    parcel = mine.select_for_update(of=("self",), no_key=True).first()
    if parcel is None:
        raise NotFound(_("We could not find that return."))
    if parcel.status != Return.Status.LABEL_SENT:
        raise Conflict(_("The parcel is already with us, so the return can no longer be undone."))
    parcel.status = Return.Status.CANCELLED
    parcel.save(update_fields=["status"])
    return parcel
