"""Reads of customers, their invoices and tickets."""

from __future__ import annotations

from uuid import UUID

from django.db.models.functions import Lower

from tickets.models import Customer, Invoice, Ticket


def customer_by_id(customer_id: UUID) -> Customer | None:
    return Customer.objects.filter(pk=customer_id).first()


def customer_by_email(email: str) -> Customer | None:
    """Any case; a closed account is as good as none."""
    by_email = Customer.objects.alias(lowered=Lower("email")).filter(lowered=email.strip().lower())
    return by_email.exclude(status=Customer.Status.CLOSED).first()


def invoices_recent(*, customer_id: UUID, limit: int) -> list[Invoice]:
    return list(Invoice.objects.filter(customer=customer_id).select_related("order").order_by("-issued_at")[:limit])


def tickets_recent(*, customer_id: UUID, limit: int) -> list[Ticket]:
    return list(Ticket.objects.filter(customer=customer_id).order_by("-created_at")[:limit])
