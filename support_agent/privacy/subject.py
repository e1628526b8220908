"""Whose data: everything that belongs to an e-mail address, found anew each time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from tickets.models import Conversation, Customer, ThreadLink, Ticket, User, Verification


@dataclass(frozen=True)
class Subject:
    """Ids of what is theirs. Without a customer: a stranger who left the address in a chat or a ticket."""

    email: str
    customer: Customer | None
    user: User | None
    conversations: list[UUID]
    tickets: list[UUID]

    def __bool__(self) -> bool:
        return bool(self.customer or self.user or self.conversations or self.tickets)


def subject_of(email: str, *, until: datetime | None = None) -> Subject:
    """Everything of this address, in any case; with `until` only what was there by then."""
    email = email.strip().lower()
    made = Q(created_at__lte=until) if until else Q()
    customer = Customer.objects.alias(lowered=Lower("email")).filter(made, lowered=email).first()
    user = customer.user if customer and customer.user and not customer.user.is_staff else None
    if user is None:
        joined = Q(date_joined__lte=until) if until else Q()
        user = User.objects.filter(joined, email__iexact=email, is_staff=False, customer=None).first()
    theirs = Q(customer=None, contact_email__iexact=email) | Q(customer=None, verifications__email__iexact=email)
    tickets = Q(customer=None, contact_email__iexact=email)
    if customer is not None:
        theirs |= Q(customer=customer)
        tickets |= Q(customer=customer)
    conversations = _with_tasks(set(Conversation.objects.filter(made & theirs).values_list("pk", flat=True)), customer)
    tickets |= Q(conversation__in=conversations, customer=None)
    found = Ticket.objects.filter(made & tickets).values_list("pk", flat=True)
    return Subject(email, customer, user, sorted(conversations), list(found))


def email_hash(email: str) -> str:
    """Says whether it is this address, to whoever has our key."""
    return salted_hmac("privacy.erasure", email.strip().lower(), algorithm="sha256").hexdigest()


def known_addresses() -> set[str]:
    """Every address of a customer or stranger that we hold, in lower case."""
    columns: list[Any] = [
        Customer.objects.values_list("email", flat=True),
        User.objects.filter(is_staff=False).values_list("email", flat=True),
        Conversation.objects.values_list("contact_email", flat=True),
        Ticket.objects.values_list("contact_email", flat=True),
        Verification.objects.values_list("email", flat=True),
        ThreadLink.objects.values_list("email", flat=True),
    ]
    return {address.strip().lower() for column in columns for address in column.order_by().distinct() if address}


def _with_tasks(found: set[UUID], customer: Customer | None) -> set[UUID]:
    """With what goes on elsewhere: a stranger's later conversations, and those of background tasks about them."""
    while True:
        further = Q(continued_from__in=found, customer=None) | Q(continued_in__in=found, customer=None)
        further |= Q(turns__task__about__in=found) | Q(turns__task__gap__questions__conversation__in=found)
        if customer is not None:
            further |= Q(turns__task__customer=customer)
        new = set(Conversation.objects.filter(further).values_list("pk", flat=True)) - found
        if not new:
            return found
        found |= new
