"""Returns: a number now, the money when the parcel is here. Its label is mailed where the action is settled."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from tickets import policy
from tickets.errors import Conflict, NotFound
from tickets.models import Action, Return, ReturnLine
from tickets.numbers import return_number
from tickets.selectors.order_records import order_record_of
from tickets.services.eligibility import return_check
from tickets.services.orders import NO_ORDER, order_lock


@transaction.atomic
def return_create(
    *,
    customer_id: UUID,
    order_number: str,
    skus: Sequence[str],
    reason: str,
    fee: Decimal | None = None,
    action: Action | None = None,
) -> Return:
    """Open a return; without a `fee` the customer's plan says what it costs. Raises NotFound, NotEligible."""
    order = order_lock(customer_id=customer_id, order_number=order_number)
    record = order_record_of(customer_id=customer_id, order_number=order_number, parts={"lines", "returns"})
    if record is None:
        raise NotFound(NO_ORDER)
    left = {item.sku: item.left for item in return_check(record, skus)}
    cost = policy.return_fee(order.customer.plan) if fee is None else fee
    parcel = Return.objects.create(number=return_number(), order=order, action=action, reason=reason, fee=cost)
    ReturnLine.objects.bulk_create(
        ReturnLine(parent=parcel, order_line=line, quantity=left[line.sku])
        for line in order.lines.all()
        if line.sku in left
    )
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
