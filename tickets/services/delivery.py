"""Delivery problems: recorded with the customer's wish. Money does not move here."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from tickets.errors import NotFound
from tickets.models import Action, DeliveryProblem
from tickets.selectors.order_records import order_record_of
from tickets.services.eligibility import problem_check
from tickets.services.orders import NO_ORDER, order_lock


@transaction.atomic
def problem_report(
    *, customer_id: UUID, order_number: str, kind: str, wish: str, action: Action | None
) -> DeliveryProblem:
    """Record the problem. Raises NotFound, NotEligible."""
    order = order_lock(customer_id=customer_id, order_number=order_number)
    record = order_record_of(customer_id=customer_id, order_number=order_number, parts={"shipments"})
    if record is None:
        raise NotFound(NO_ORDER)
    problem_check(record, kind, now=timezone.now())
    return DeliveryProblem.objects.create(order=order, action=action, kind=kind, wish=wish)
