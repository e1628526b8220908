"""The numbers people read: drawn from PostgreSQL sequences, so that two writers never get the same one."""

from __future__ import annotations

from django.db import connection

from tickets.models import Return, Ticket


def ticket_number() -> str:
    """T-50001 and up."""
    while Ticket.objects.filter(number=(number := f"T-{_next('tickets_ticket_number'):05d}")).exists():
        pass  # an imported record has it: the sequence has moved on, draw again
    return number


def return_number() -> str:
    """R-500001 and up."""
    while Return.objects.filter(number=(number := f"R-{_next('tickets_return_number'):06d}")).exists():
        pass
    return number


def _next(sequence: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s)", [sequence])
        return int(cursor.fetchone()[0])
