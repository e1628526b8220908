"""Delivery problems: recorded with the customer's wish, and put before a person as a ticket."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from tickets import policy
from tickets.models import Action, DeliveryProblem, Order, Ticket
from tickets.selectors.orders import shipment_facts
from tickets.services.orders import order_lock, require
from tickets.services.tickets import ticket_create


def problem_check(order: Order, kind: str, *, now: datetime) -> None:
    """Raises NotEligible when policy does not allow this report."""
    require(
        policy.can_report(
            kind,
            status=order.status,
            shipments=shipment_facts(order),
            delivered_at=order.delivered_at,
            already_open=order.problems.filter(kind=kind, is_open=True).exists(),
            now=now,
        )
    )


@transaction.atomic
def problem_report(
    *, customer_id: UUID, order_number: str, kind: str, wish: str, action: Action
) -> tuple[DeliveryProblem, Ticket]:
    """Record the problem and open its ticket; no money moves here. Raises NotFound, NotEligible."""
    order = order_lock(customer_id=customer_id, order_number=order_number)
    problem_check(order, kind, now=timezone.now())
    problem = DeliveryProblem.objects.create(order=order, action=action, kind=kind, wish=wish)
    ticket = ticket_create(
        subject=f"{problem.get_kind_display()}: order {order.order_number}",
        body=f"The customer reports: {problem.get_kind_display().lower()}. They wish: "
        f"{problem.get_wish_display().lower()}.",
        category="product",
        priority="high" if wish != DeliveryProblem.Wish.WAIT else "medium",
        customer=action.customer,
        conversation=action.conversation,
        idempotency_key=f"action:{action.pk}",
    )
    return problem, ticket
