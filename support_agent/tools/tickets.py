"""Leaving something for a person to look at later."""

from __future__ import annotations

from typing import Literal

from django.utils.translation import gettext_lazy
from pydantic import Field

from support_agent.agent.toolkit import Arguments, Category, Tool, ToolContext, ToolResult
from support_agent.tools.common import Email, conversation_of, guarded, invalid, success
from tickets.models import Conversation
from tickets.selectors.conversations import customer_wrote
from tickets.services.tickets import ticket_create


class CreateTicket(Arguments):
    customer_email: Email = Field(description="Where a person can answer the customer.")
    subject: str = Field(description="The matter in one line.", min_length=3, max_length=200)
    body: str = Field(
        description="What happened and what the customer wants, complete enough for someone who was not here.",
        min_length=3,
        max_length=5000,
    )
    priority: Literal["low", "medium", "high", "urgent"] = Field(
        default="medium", description="How pressing it is; urgent only for safety or a loss of money under way."
    )
    category: Literal["billing", "technical", "account", "product"] = Field(description="What it is about.")


@guarded
def create_ticket(context: ToolContext, arguments: CreateTicket) -> ToolResult:
    """The ticket belongs to an account only when the conversation is verified: an address alone proves nothing.

    Staff answer to an address that the customer has given here, or to the account's: one that only stands in something
    the model has read would get what was meant for the customer.
    """
    conversation = conversation_of(context)
    own = conversation.customer if context.customer_id and conversation.customer_id == context.customer_id else None
    address = arguments.customer_email
    if not (address_left(conversation, address) or customer_wrote(conversation.pk, address)):
        if own is None:
            return invalid(customer_email="the customer has not given this address here; ask for theirs")
        address = own.email
    ticket = ticket_create(
        subject=arguments.subject,
        body=arguments.body,
        category=arguments.category,
        priority=arguments.priority,
        customer=own,
        contact_email=address,
        conversation=conversation,
        idempotency_key=context.idempotency_key,
    )
    return success(
        ticket={
            "number": ticket.number,
            "subject": ticket.subject,
            "priority": ticket.priority,
            "status": ticket.status,
        }
    )


def address_left(conversation: Conversation, address: str) -> bool:
    """Whether it is the one that this conversation is answered to anyway."""
    return bool(conversation.contact_email) and address.casefold() == conversation.contact_email.casefold()


TOOLS = [
    Tool(
        name="create_ticket",
        description=(
            "Open a ticket that a person answers by e-mail. Use when the matter needs a person but not right now: a "
            "bug report, a change no tool can make, a question nobody here can answer, also for a stranger who left "
            "an address. Do not use when another tool can do it, when the customer asks for a person now (use "
            "escalate_to_human), or twice for the same matter."
        ),
        arguments=CreateTicket,
        run=create_ticket,
        category=Category.TICKET,
        label=gettext_lazy("Opening a ticket …"),
    )
]
