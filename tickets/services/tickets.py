"""Tickets: something a person will look at later; strangers can leave one too."""

from __future__ import annotations

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from tickets.errors import RateLimited
from tickets.models import Conversation, Customer, Team, Ticket
from tickets.numbers import ticket_number

TEAM_OF = {"billing": "billing", "technical": "engineering", "account": "account_management", "product": "support"}
MAX_PER_CONVERSATION = 5
PER = timedelta(hours=1)


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
        _check_rate(conversation)
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


def _check_rate(conversation: Conversation) -> None:
    now = timezone.now()
    recent = Ticket.objects.filter(conversation=conversation, created_at__gt=now - PER).order_by("-created_at")
    times = list(recent.values_list("created_at", flat=True)[:MAX_PER_CONVERSATION])
    if len(times) == MAX_PER_CONVERSATION:
        raise RateLimited(int((times[-1] + PER - now).total_seconds()) + 1)
