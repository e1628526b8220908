"""What a webhook's event tells: ids, numbers and states always; names, addresses and texts where staff allow it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tickets.models import Conversation, Customer, Escalation, Ticket

Json = dict[str, Any]


def of_ticket(ticket: Ticket, details: bool) -> Json:
    told: Json = {
        "id": str(ticket.pk),
        "number": ticket.number,
        "status": str(ticket.status),
        "priority": str(ticket.priority),
        "category": str(ticket.category),
        "team": ticket.team.slug if ticket.team else None,
        "assignee": ticket.assignee.get_username() if ticket.assignee else None,
        "conversation": _conversation(ticket.conversation),
        "customer": _customer(ticket.customer, details),
        "created_at": ticket.created_at.isoformat(),
    }
    if details:
        told |= {"subject": ticket.subject, "body": ticket.body, "contact_email": ticket.contact_email}
    return {"ticket": told}


def of_escalation(escalation: Escalation, details: bool) -> Json:
    told: Json = {
        "id": str(escalation.pk),
        "status": str(escalation.status),
        "reason": str(escalation.reason),
        "team": escalation.team.slug,
        "claimed_by": escalation.claimed_by.get_username() if escalation.claimed_by else None,
        "conversation": _conversation(escalation.conversation),
        "customer": _customer(escalation.conversation.customer, details),
        "created_at": escalation.created_at.isoformat(),
        "due_at": escalation.due_at.isoformat(),
        "claimed_at": _at(escalation.claimed_at),
        "ended_at": _at(escalation.ended_at),
    }
    if details:
        told["summary"] = escalation.summary
    return {"escalation": told}


def of_conversation(conversation: Conversation, details: bool) -> Json:
    told: Json = {
        **(_conversation(conversation) or {}),
        "status": str(conversation.status),
        "customer": _customer(conversation.customer, details),
        "created_at": conversation.created_at.isoformat(),
        "closed_at": _at(conversation.closed_at),
    }
    if details:
        told |= {"topic": conversation.topic, "contact_email": conversation.contact_email}
    return {"conversation": told}


def _conversation(conversation: Conversation | None) -> Json | None:
    return {"id": str(conversation.pk), "reference": conversation.reference} if conversation else None


def _customer(customer: Customer | None, details: bool) -> Json | None:
    if customer is None:
        return None
    told = {"id": str(customer.pk), "external_id": customer.external_id}
    return told | {"email": customer.email, "name": customer.name} if details else told


def _at(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
