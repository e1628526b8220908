"""Reads of customers and their tickets."""

from __future__ import annotations

from uuid import UUID

from django.db import DEFAULT_DB_ALIAS
from django.db.models.functions import Lower

from tickets.models import Customer, Ticket
from tickets.sql import prepared

# The model's fields in their order, all of them.
_NAMES = (
    "id", "created_at", "user_id", "external_id", "email", "name", "phone", "shipping_address", "plan", "status",
    "locale", "marketing_opt_in",
)  # fmt: skip
_BY_ID = """
SELECT id, created_at, user_id, external_id, email, name, phone, shipping_address, plan, status,
  locale, marketing_opt_in
FROM tickets_customer WHERE id = %(customer)s
"""


def customer_by_id(customer_id: UUID | None) -> Customer | None:
    """Asked for by every tool and page that knows its customer, so by a statement that is written out."""
    rows = prepared(_BY_ID, {"customer": customer_id}) if customer_id else []
    return Customer.from_db(DEFAULT_DB_ALIAS, _NAMES, rows[0]) if rows else None


def customer_by_email(email: str) -> Customer | None:
    """Any case; a closed account is as good as none."""
    by_email = Customer.objects.alias(lowered=Lower("email")).filter(lowered=email.strip().lower())
    return by_email.exclude(status=Customer.Status.CLOSED).first()


def tickets_recent(*, customer_id: UUID, limit: int) -> list[Ticket]:
    return list(Ticket.objects.filter(customer=customer_id).order_by("-created_at")[:limit])
