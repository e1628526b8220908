"""Reads of customers and their tickets."""

from __future__ import annotations

from uuid import UUID

from django.db.models.functions import Lower

from tickets.models import Customer, Ticket
from tickets.sql import fetched

_BY_ID = "SELECT {columns} FROM tickets_customer WHERE id = %(id)s"


def customer_by_id(customer_id: UUID | None) -> Customer | None:
    return next(iter(fetched(Customer, _BY_ID, {"id": customer_id})), None) if customer_id else None


def customer_by_email(email: str) -> Customer | None:
    """Any case; a closed account is as good as none."""
    by_email = Customer.objects.alias(lowered=Lower("email")).filter(lowered=email.strip().lower())
    return by_email.exclude(status=Customer.Status.CLOSED).first()


def tickets_recent(*, customer_id: UUID, limit: int) -> list[Ticket]:
    return list(Ticket.objects.filter(customer=customer_id).order_by("-created_at")[:limit])
