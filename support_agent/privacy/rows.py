"""Emptying rows as privacy.tables says; every function may run twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Model, QuerySet

from support_agent.models import Step, ToolCall, Turn
from support_agent.privacy.results import forget_results
from support_agent.privacy.tables import OF_A_CONVERSATION, OF_A_CUSTOMER, OF_A_TICKET, Table
from support_agent.privacy.topics import forget_topics
from tickets.models import Attachment, AuditEntry, Conversation, Event, Ticket
from tickets.publishing import group_of, publish
from tickets.services.audit import audit_values_erase
from tickets.services.conversations import conversation_shut

BATCH = 500
NEVER_AUDITED = (Event, Step, ToolCall, Turn)
Counts = Counter[str]


@transaction.atomic
def erase_conversation(conversation_id: UUID) -> Counts:
    """End it, and empty everything that was said and done in it. Its events keep their `seq`."""
    conversation = conversation_shut(conversation=Conversation(pk=conversation_id))
    topics = set(Turn.objects.filter(conversation=conversation).values_list("topic", flat=True))
    results = forget_results(conversation.pk)
    counts = _empty_all(OF_A_CONVERSATION, [conversation.pk])
    counts["support_agent_evalresult"] += results
    forget_topics(topics)
    transaction.on_commit(lambda: publish([(group_of(conversation.pk), {"type": "session.ended"})]))
    return counts


@transaction.atomic
def erase_tickets(ticket_ids: Collection[UUID]) -> Counts:
    """Close and empty them; their numbers, times and categories stay."""
    Ticket.objects.filter(pk__in=ticket_ids).exclude(status=Ticket.Status.CLOSED).update(status=Ticket.Status.CLOSED)
    return _empty_all(OF_A_TICKET, ticket_ids)


@transaction.atomic
def erase_orders(customer_id: UUID) -> Counts:
    """What orders say of a person; what they were about and cost stays."""
    return _empty_all(OF_A_CUSTOMER, [customer_id])


def erase_audit_of(object_ids: Iterable[object]) -> int:
    """The values of what staff changed in these records; who changed which field stays."""
    return audit_values_erase(AuditEntry.objects.filter(object_id__in=[str(one) for one in object_ids]))


def empty(table: Table, owners: Collection[UUID]) -> int:
    """Write or delete what belongs to these owners; how many rows that were."""
    rows = rows_of(table, owners)
    if table.deletes:
        return _delete(table, rows)
    for name, make in table.made.items():
        changed: list[Any] = []
        for row in rows.only("pk", name).iterator(chunk_size=BATCH):
            setattr(row, name, make(getattr(row, name)))
            changed.append(row)
        table.model._default_manager.bulk_update(changed, [name], batch_size=BATCH)
    return rows.update(**table.written) if table.written else rows.count()


def rows_of(table: Table, owners: Collection[UUID]) -> QuerySet[Any]:
    """The rows that belong to these owners."""
    return table.model._default_manager.filter(**{f"{table.owner}__in": list(owners)}).order_by()


def _empty_all(tables: Iterable[Table], owners: Collection[UUID]) -> Counts:
    """Table after table, the audit's values of their rows first: afterwards some are gone."""
    tables = tuple(tables)
    audited: set[Any] = set(owners)
    for table in tables:
        if table.model not in NEVER_AUDITED:
            audited |= set(rows_of(table, owners).values_list("pk", flat=True))
    counts = Counts(tickets_auditvalue=erase_audit_of(audited))
    for table in tables:
        counts[table.name] += empty(table, owners)
    return counts


def _delete(table: Table, rows: QuerySet[Any]) -> int:
    """The rows, and what lies outside the database once they are gone for good."""
    if table.model is Attachment:
        files = list(rows)
        transaction.on_commit(lambda: [each.file.delete(save=False) for each in files] and None)
    own: type[Model] = table.model
    return rows.delete()[1].get(own._meta.label, 0)
