"""What a person gets who asks what we hold of them: readable JSON, and the images they sent.

Theirs alone: no notes of staff, no prompts, no hashes, nothing of anybody else.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable
from typing import Any

from django.db.models import Model, QuerySet

from support_agent.models import ConversationMemory, ToolCall
from support_agent.privacy.subject import Subject
from tickets.models import (
    Action,
    Attachment,
    AuditValue,
    Conversation,
    DeliveryProblem,
    DemoMail,
    Escalation,
    Feedback,
    Invoice,
    Message,
    Order,
    Promise,
    Refund,
    Return,
    Shipment,
    Survey,
    Ticket,
    TicketComment,
    Verification,
)

Json = dict[str, Any]
CUSTOMER = ("email", "name", "phone", "shipping_address", "plan", "status", "locale", "marketing_opt_in", "external_id")
ORDER = ("order_number", "status", "currency", "total", "paid_total", "refunded_total", "shipping_method",
         "shipping_address", "note", "placed_at", "delivered_at", "cancelled_at")  # fmt: skip


def held(subject: Subject) -> Json:
    """Everything on this person."""
    customer, user = subject.customer, subject.user
    return {
        "email": subject.email,
        "customer": _row(customer, CUSTOMER) if customer else None,
        "sign_in": _row(user, ("username", "email", "first_name", "last_name", "date_joined", "last_login"))
        if user
        else None,
        "changes": _changes(subject),
        "orders": [_order(one) for one in Order.objects.filter(customer=customer)] if customer else [],
        "invoices": _rows(Invoice.objects.filter(customer=customer), (
            "number", "description", "amount", "currency", "status", "issued_at", "due_at"
        )) if customer else [],
        "conversations": [_conversation(one) for one in Conversation.objects.filter(pk__in=subject.conversations)],
        "tickets": [_ticket(one) for one in Ticket.objects.filter(pk__in=subject.tickets)],
        "mails": _rows(DemoMail.objects.filter(to__iexact=subject.email), ("to", "subject", "body", "created_at")),
    }  # fmt: skip


def packed(subject: Subject) -> bytes:
    """A ZIP file: `data.json`, and in `files/` the images by their id."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", json.dumps(held(subject), indent=2, ensure_ascii=False, default=str))
        for one in Attachment.objects.filter(conversation__in=subject.conversations):
            with one.file.open("rb") as file:
                archive.writestr(f"files/{one.pk}-{one.name}", file.read())
    return out.getvalue()


def _order(order: Order) -> Json:
    shipments = [
        _row(one, ("tracking_number", "carrier", "status", "shipped_at", "estimated_delivery", "delivered_at"))
        | {"events": _rows(one.events.all(), ("at", "location", "description"))}
        for one in Shipment.objects.filter(order=order)
    ]
    return _row(order, ORDER) | {
        "lines": _rows(order.lines.all(), ("sku", "name", "variant", "quantity", "unit_price", "returned_quantity")),
        "shipments": shipments,
        "returns": _rows(Return.objects.filter(order=order), ("number", "status", "reason", "fee", "created_at")),
        "refunds": _rows(Refund.objects.filter(order=order), ("amount", "status", "reason", "created_at")),
        "problems": _rows(DeliveryProblem.objects.filter(order=order), ("kind", "wish", "is_open", "created_at")),
    }


def _conversation(conversation: Conversation) -> Json:
    of = {"conversation": conversation}
    return _row(
        conversation,
        ("reference", "status", "channel", "identity", "contact_email", "topic", "locale", "created_at", "closed_at"),
    ) | {
        "told_us": conversation.metadata.get("client", {}),
        "messages": _rows(Message.objects.filter(**of), ("created_at", "role", "author", "text", "sources", "cards")),
        "files": _rows(Attachment.objects.filter(**of), ("id", "name", "content_type", "size", "created_at")),
        "looked_up": _rows(ToolCall.objects.filter(**of), ("created_at", "tool", "arguments", "status", "result")),
        "actions": _rows(
            Action.objects.filter(**of),
            ("created_at", "tool", "summary", "arguments", "preview", "state", "decided_at", "receipt"),
        ),
        "promises": _rows(Promise.objects.filter(**of), ("text", "due_at", "state")),
        "escalations": _rows(Escalation.objects.filter(**of), ("created_at", "reason", "summary", "status")),
        "codes": _rows(Verification.objects.filter(**of), ("created_at", "email", "state")),
        "survey": _rows(Survey.objects.filter(**of), ("state", "rating", "comment", "answered_at")),
        "feedback": _rows(
            Feedback.objects.filter(message__conversation=conversation), ("created_at", "helpful", "cause", "reason")
        ),
        "remembered": _rows(ConversationMemory.objects.filter(**of), ("summary", "facts", "updated_at")),
    }


def _ticket(ticket: Ticket) -> Json:
    answers = TicketComment.objects.filter(ticket=ticket, is_public=True)
    return _row(ticket, ("number", "contact_email", "subject", "body", "category", "status", "created_at")) | {
        "answers": _rows(answers, ("created_at", "body"))
    }


def _changes(subject: Subject) -> list[Json]:
    """What was changed in their own record, and when; not by whom."""
    if subject.customer is None:
        return []
    values = AuditValue.objects.filter(
        entry__object_type="tickets.customer", entry__object_id=str(subject.customer.pk)
    ).order_by("created_at")
    return _rows(values, ("created_at", "field", "before", "after"))


def _rows(found: QuerySet[Any], names: Iterable[str]) -> list[Json]:
    return [_row(one, names) for one in found]


def _row(one: Model, names: Iterable[str]) -> Json:
    return {name: getattr(one, name) for name in names}
