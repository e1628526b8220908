"""Reads of customers and their tickets."""

from __future__ import annotations

from uuid import UUID

from django.db.models.functions import Lower

from tickets.models import Customer, Ticket


def customer_by_id(customer_id: UUID | None) -> Customer | None:
    return Customer.objects.filter(pk=customer_id).first() if customer_id else None


def customer_by_email(email: str) -> Customer | None:
    """Any case; a closed account is as good as none."""
    by_email = Customer.objects.alias(lowered=Lower("email")).filter(lowered=email.strip().lower())
    return by_email.exclude(status=Customer.Status.CLOSED).first()


def tickets_recent(*, customer_id: UUID, limit: int) -> list[Ticket]:
    return list(Ticket.objects.filter(customer=customer_id).order_by("-created_at")[:limit])
