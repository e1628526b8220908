"""A conversation's life: created, identified, claimed by a person, handed back, closed, reopened."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from tickets import hooks
from tickets.access import token_hash
from tickets.errors import Conflict, NotFound
from tickets.events import event_append
from tickets.models import Conversation, Customer, Escalation, Survey, User
from tickets.publishing import INBOX_GROUP, publish
from tickets.services.audit import audit

REOPENS_WITHIN = timedelta(days=14)
OPEN = [Escalation.Status.WAITING, Escalation.Status.CLAIMED]


def conversation_create(
    *,
    channel: str,
    customer: Customer | None = None,
    identity: str = "",
    locale: str = "en",
    metadata: dict[str, Any] | None = None,
    address_hash: str = "",
    with_token: bool = False,
    token: str = "",
    continued_from: Conversation | None = None,
) -> tuple[Conversation, str]:
    """A new conversation and, if asked for or given, its bearer token, which is shown once and kept only as a hash."""
    token = token or (secrets.token_urlsafe(32) if with_token else "")
    for _ in range(5):
        try:
            with transaction.atomic():
                conversation = Conversation.objects.create(
                    channel=channel,
                    customer=customer,
                    identity=identity,
                    verified_at=timezone.now() if customer else None,
                    contact_email=customer.email if customer else "",
                    locale=locale,
                    metadata=metadata or {},
                    address_hash=address_hash,
                    token_hash=token_hash(token) if token else "",
                    continued_from=continued_from,
                )
                return conversation, token
        except IntegrityError:
            continue  # the short reference was taken: draw another
    raise RuntimeError("no free conversation reference after five draws")


@transaction.atomic
def conversation_identify(*, conversation: Conversation, customer: Customer, identity: str) -> Conversation:
    """Bind a verified customer. Raises Conflict when it already belongs to another one."""
    locked = lock(conversation.pk)
    if locked.customer_id not in (None, customer.pk):
        raise Conflict("This conversation belongs to another customer.")
    locked.customer, locked.identity, locked.verified_at = customer, identity, timezone.now()
    locked.contact_email = locked.contact_email or customer.email
    locked.save(update_fields=["customer", "identity", "verified_at", "contact_email"])
    return locked


def contact_set(*, conversation: Conversation, email: str) -> None:
    """Where a person may answer later; it proves nothing about who writes."""
    Conversation.objects.filter(pk=conversation.pk).update(contact_email=email)
    conversation.contact_email = email


def read_mark(*, conversation: Conversation, seq: int) -> None:
    """The customer has seen everything up to `seq`; it never goes back, nor past what there is."""
    Conversation.objects.filter(pk=conversation.pk, customer_read_seq__lt=seq, last_seq__gte=seq).update(
        customer_read_seq=seq
    )


@transaction.atomic
def conversation_claim(*, conversation_id: UUID, staff: User) -> Conversation:
    """Take over: exactly one wins, the others get Conflict. From this commit the assistant is silent (I10)."""
    conversation = lock(conversation_id)
    if conversation.status == Conversation.Status.HUMAN:
        if conversation.assignee_id == staff.pk:
            return conversation
        raise Conflict("A colleague has already taken this conversation.")
    if conversation.status == Conversation.Status.CLOSED:
        raise Conflict("This conversation is closed.")
    before = conversation.status
    Escalation.objects.filter(conversation=conversation, status=Escalation.Status.WAITING).update(
        status=Escalation.Status.CLAIMED, claimed_by=staff, claimed_at=timezone.now()
    )
    _tell_agent(conversation, "taken_over")
    _set_status(conversation, Conversation.Status.HUMAN, assignee=staff)
    audit(actor=staff, action="conversation.claim", obj=conversation, changes={"status": (before, "human")})
    return conversation


@transaction.atomic
def conversation_hand_back(*, conversation: Conversation, staff: User, instruction: str = "") -> Conversation:
    """The assistant answers again; `instruction` is kept for its next turn."""
    conversation = lock(conversation.pk)
    if conversation.status != Conversation.Status.HUMAN:
        raise Conflict("Only a conversation with staff can be handed back.")
    _end_escalations(conversation, Escalation.Status.HANDED_BACK)
    conversation.metadata = {**conversation.metadata, "instruction": instruction.replace("\x00", "")[:1000]}
    conversation.save(update_fields=["metadata"])
    _set_status(conversation, Conversation.Status.AI, assignee=None)
    audit(actor=staff, action="conversation.hand_back", obj=conversation, changes={"status": ("human", "ai")})
    return conversation


@transaction.atomic
def conversation_close(*, conversation: Conversation, actor: User | None = None) -> Conversation:
    """End it; closing twice does nothing. Asks for the survey once."""
    conversation = lock(conversation.pk)
    if conversation.status == Conversation.Status.CLOSED:
        return conversation
    before = conversation.status
    _end_escalations(conversation, Escalation.Status.CLOSED)
    conversation.closed_at = timezone.now()
    conversation.save(update_fields=["closed_at"])
    _tell_agent(conversation, "closed")
    _set_status(conversation, Conversation.Status.CLOSED, assignee=conversation.assignee)
    _, is_new = Survey.objects.get_or_create(conversation=conversation)
    if is_new:
        event_append(conversation=conversation, type="survey", payload={"state": Survey.State.REQUESTED})
    if actor is not None:
        audit(actor=actor, action="conversation.close", obj=conversation, changes={"status": (before, "closed")})
    return conversation


@transaction.atomic
def conversation_reopen(*, conversation: Conversation) -> Conversation:
    """A message within 14 days of closing opens it again, with the assistant. Raises Conflict after that."""
    conversation = lock(conversation.pk)
    if conversation.status != Conversation.Status.CLOSED:
        return conversation
    if not can_reopen(conversation):
        raise Conflict("This conversation has been closed for over 14 days.")
    conversation.closed_at = None
    conversation.save(update_fields=["closed_at"])
    _set_status(conversation, Conversation.Status.AI, assignee=None)
    return conversation


@transaction.atomic
def conversation_continue(*, conversation: Conversation) -> tuple[Conversation, str]:
    """Where a conversation closed for over 14 days goes on, and that one's token; the same both times when asked twice.

    The token follows from the old conversation's id, so that a client that missed the answer gets it again.
    """
    token = salted_hmac("tickets.conversation_continue", conversation.pk.hex, algorithm="sha256").hexdigest()
    lock(conversation.pk)
    found = Conversation.objects.filter(continued_from=conversation).order_by("created_at").first()
    if found is not None:
        return lock(found.pk), token
    continued, _ = conversation_create(
        channel=conversation.channel,
        customer=conversation.customer,
        identity=conversation.identity,
        locale=conversation.locale,
        address_hash=conversation.address_hash,
        token=token,
        continued_from=conversation,
    )
    return continued, token


def can_reopen(conversation: Conversation) -> bool:
    closed_at = conversation.closed_at
    return closed_at is None or timezone.now() - closed_at <= REOPENS_WITHIN


def lock(conversation_id: UUID) -> Conversation:
    """The conversation with its row locked to the end of the transaction. Raises NotFound."""
    conversation = Conversation.objects.select_for_update(no_key=True).filter(pk=conversation_id).first()
    if conversation is None:
        raise NotFound("There is no such conversation.")
    return conversation


def _set_status(conversation: Conversation, status: Conversation.Status, *, assignee: User | None) -> None:
    conversation.status, conversation.assignee = status, assignee
    conversation.save(update_fields=["status", "assignee"])
    payload: dict[str, Any] = {"status": status.value}
    if status == Conversation.Status.HUMAN and assignee is not None:
        profile = getattr(assignee, "staff_profile", None)
        payload["staff"] = profile.display_name if profile else assignee.get_full_name() or "Our team"
    event_append(conversation=conversation, type="status", payload=payload)
    transaction.on_commit(lambda: publish([(INBOX_GROUP, {"type": "inbox.changed", "id": str(conversation.pk)})]))


def _end_escalations(conversation: Conversation, status: Escalation.Status) -> None:
    Escalation.objects.filter(conversation=conversation, status__in=OPEN).update(status=status, ended_at=timezone.now())


def _tell_agent(conversation: Conversation, why: str) -> None:
    for hook in hooks.on_people_took_over:
        hook(conversation, why)
