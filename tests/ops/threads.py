"""What the tests of one thread share: a conversation that waits or is had, and its addresses."""

from __future__ import annotations

from uuid import uuid4

from django.test import Client

from tickets.models import AuditEntry, AuditValue, Conversation, Customer, User
from tickets.services.conversations import conversation_claim, conversation_create
from tickets.services.escalations import escalation_open
from tickets.services.messages import message_post

LIVE = {"X-Fragment": "1"}


def say(conversation: Conversation, text: str) -> None:
    """The customer writes."""
    message_post(conversation=conversation, client_message_id=uuid4(), text=text)


def waiting(customer: Customer | None, text: str = "Where is my tent?") -> Conversation:
    conversation, _ = conversation_create(channel="chat", customer=customer, identity="session" if customer else "")
    say(conversation, text)
    escalation_open(conversation=conversation, reason="asked", summary="Wants a person.", team="billing")
    conversation.refresh_from_db()
    return conversation


def had_by(staff: User, customer: Customer | None) -> Conversation:
    return conversation_claim(conversation_id=waiting(customer).pk, staff=staff)


def path(conversation: Conversation, deed: str = "") -> str:
    return f"/admin/inbox/{conversation.pk}/{deed}"


def page(client: Client, conversation: Conversation, query: str = "") -> str:
    answer = client.get(path(conversation, query))
    assert answer.status_code == 200
    return str(answer.content.decode())


def audited(action: str) -> dict[str, tuple[str, str]]:
    """Before and after of each field of the newest such entry."""
    entry = AuditEntry.objects.filter(action=action).order_by("created_at").last()
    assert entry is not None, f"nothing audited as {action}"
    return {value.field: (value.before, value.after) for value in AuditValue.objects.filter(entry=entry)}
