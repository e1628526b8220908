"""Tickets for a file: one row each, read as it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet

from tickets.models import Ticket

Json = dict[str, Any]
COLUMNS = (
    "number", "id", "created_at", "status", "priority", "category", "team", "assignee", "subject", "body",
    "customer_id", "customer_external_id", "customer_name", "customer_email", "contact_email",
    "conversation", "comments",
)  # fmt: skip
PERSONAL = ("customer_name", "customer_email", "contact_email")
CHUNK = 500


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """Which tickets: made from a moment on, before another, of one status; empty values ask for all."""

    since: datetime | None = None
    before: datetime | None = None
    status: str = ""


def ticket_rows(wanted: TicketFilter, *, personal: bool = False) -> Iterator[Json]:
    """The oldest first, by COLUMNS; memory stays small however many there are. Who it is stays empty unless `personal`;
    what texts say is the caller's to hide."""
    hidden = {} if personal else dict.fromkeys(PERSONAL, "")
    for ticket in _found(wanted).iterator(chunk_size=CHUNK):
        yield dict(zip(COLUMNS, _values(ticket), strict=True)) | hidden


def _found(wanted: TicketFilter) -> QuerySet[Ticket, Any]:
    found = Ticket.objects.select_related("customer", "conversation", "team", "assignee")
    if wanted.since is not None:
        found = found.filter(created_at__gte=wanted.since)
    if wanted.before is not None:
        found = found.filter(created_at__lt=wanted.before)
    if wanted.status:
        found = found.filter(status=wanted.status)
    return found.annotate(comment_count=Count("comments")).order_by("created_at", "pk")


def _values(ticket: Any) -> tuple[object, ...]:
    customer = ticket.customer
    return (
        ticket.number,
        str(ticket.pk),
        ticket.created_at.isoformat(),
        str(ticket.status),
        str(ticket.priority),
        str(ticket.category),
        ticket.team.slug if ticket.team else "",
        ticket.assignee.get_username() if ticket.assignee else "",
        ticket.subject,
        ticket.body,
        str(customer.pk) if customer else "",
        (customer.external_id or "") if customer else "",
        customer.name if customer else "",
        customer.email if customer else "",
        ticket.contact_email,
        ticket.conversation.reference if ticket.conversation else "",
        ticket.comment_count,
    )
