"""Tickets: something a person will look at later; strangers can leave one too."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from tickets.limits import check_hourly
from tickets.models import Conversation, Customer, Team, Ticket
from tickets.numbers import ticket_number

TEAM_OF = {"billing": "billing", "technical": "engineering", "account": "account_management", "product": "support"}
MAX_PER_HOUR = 5


def ticket_create(
    *,
    subject: str,
    body: str,
    category: str,
    priority: str = Ticket.Priority.MEDIUM,
    customer: Customer | None = None,
    contact_email: str = "",
    conversation: Conversation | None = None,
    idempotency_key: str | None = None,
) -> Ticket:
    """Open a ticket; the same idempotency key gives the same ticket. Strangers get RateLimited past five an hour.

    `customer` comes from a verified conversation only; `contact_email` is where to answer and proves nothing.
    """
    if (known := _known(idempotency_key)) is not None:
        return known
    if conversation is not None and customer is None:
        check_hourly(Ticket.objects.filter(conversation=conversation), MAX_PER_HOUR)
    try:
        with transaction.atomic():
            return Ticket.objects.create(
                number=ticket_number(),
                subject=subject,
                body=body,
                category=category,
                priority=priority,
                customer=customer,
                contact_email=contact_email or (customer.email if customer else ""),
                conversation=conversation,
                idempotency_key=idempotency_key,
                team=Team.objects.filter(slug=TEAM_OF.get(category, "support")).first(),
            )
    except IntegrityError:
        if (known := _known(idempotency_key)) is None:
            raise
        return known


def _known(idempotency_key: str | None) -> Ticket | None:
    return Ticket.objects.filter(idempotency_key=idempotency_key).first() if idempotency_key else None
