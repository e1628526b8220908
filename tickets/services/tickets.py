"""Tickets: something a person will look at later; strangers can leave one too."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction

from tickets.errors import Conflict, SentAlready
from tickets.limits import check_hourly
from tickets.models import Article, Conversation, Customer, Team, Ticket, User, WebhookEvent
from tickets.numbers import ticket_number
from tickets.redaction import without_secrets
from tickets.services.audit import audit
from tickets.services.locking import lock
from tickets.services.webhooks import tell_ticket

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
    """Open a ticket; the same idempotency key gives the same ticket. Strangers and the assistant (it has keys) get
    RateLimited past five an hour in a conversation.

    `customer` comes from a verified conversation only; `contact_email` is where to answer and proves nothing.
    """
    if (known := _known(idempotency_key)) is not None:
        return known
    if conversation is not None and (customer is None or idempotency_key):
        check_hourly(Ticket.objects.filter(conversation=conversation), MAX_PER_HOUR)
    try:
        with transaction.atomic():
            ticket = Ticket.objects.create(
                number=ticket_number(),
                subject=without_secrets(subject)[:200],
                body=without_secrets(body),
                category=category,
                priority=priority,
                customer=customer,
                contact_email=contact_email or (customer.email if customer else ""),
                conversation=conversation,
                idempotency_key=idempotency_key,
                team=Team.objects.filter(slug=TEAM_OF.get(category, "support")).first(),
            )
            tell_ticket(ticket, WebhookEvent.TICKET_CREATED)
            return ticket
    except IntegrityError:
        if (known := _known(idempotency_key)) is None:
            raise
        return known


@transaction.atomic
def ticket_open(
    *,
    conversation: Conversation,
    staff: User,
    subject: str,
    body: str,
    category: str,
    priority: str,
    form_id: UUID | None = None,
) -> Ticket:
    """A member of staff makes a ticket of a conversation; a form sent twice makes one.

    Raises Conflict when a field is missing or unknown, SentAlready.
    """
    subject, body = (text.replace("\x00", "").strip() for text in (subject, body))
    if not subject:
        raise Conflict("A ticket needs a subject.")
    if category not in Article.Category.values or priority not in Ticket.Priority.values:
        raise Conflict("Choose a category and a priority for the ticket.")
    lock(conversation.pk)
    key = f"form:{conversation.pk}:{form_id}" if form_id else None
    if (known := _known(key)) is not None:
        if (known.subject, known.body) != (subject[:200], body or subject):
            raise SentAlready
        return known
    ticket = ticket_create(
        idempotency_key=key,
        subject=subject[:200],
        body=body or subject,
        category=category,
        priority=priority,
        customer=conversation.customer,
        contact_email=conversation.contact_email,
        conversation=conversation,
    )
    changes = {"number": (None, ticket.number), "conversation": (None, conversation.reference)}
    audit(actor=staff, action="ticket.open", obj=ticket, changes=changes)
    return ticket


@transaction.atomic
def ticket_link(*, conversation: Conversation, staff: User, number: str) -> Ticket:
    """Say that an existing ticket is about this conversation too; linking twice does nothing. Raises Conflict."""
    ticket = Ticket.objects.select_for_update(no_key=True).filter(number__iexact=number.strip()).first()
    if ticket is None:
        raise Conflict("There is no ticket with this number.")
    if ticket.conversation_id == conversation.pk or ticket.linked.filter(pk=conversation.pk).exists():
        return ticket
    ticket.linked.add(conversation)
    audit(actor=staff, action="ticket.link", obj=ticket, changes={"linked": (None, conversation.reference)})
    return ticket


@transaction.atomic
def ticket_unlink(*, conversation: Conversation, staff: User, ticket_id: UUID) -> None:
    """Take a link back; one that is not there is not missed."""
    ticket = Ticket.objects.filter(pk=ticket_id, linked=conversation).first()
    if ticket is not None:
        ticket.linked.remove(conversation)
        audit(actor=staff, action="ticket.unlink", obj=ticket, changes={"linked": (conversation.reference, None)})


def _known(idempotency_key: str | None) -> Ticket | None:
    return Ticket.objects.filter(idempotency_key=idempotency_key).first() if idempotency_key else None
