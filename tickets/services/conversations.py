"""A conversation's life: created, identified, claimed by a person, handed back, closed, reopened."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from tickets import hooks
from tickets.access import may_act_for, token_hash
from tickets.errors import Conflict
from tickets.events import event_append
from tickets.models import (
    Action,
    Conversation,
    Customer,
    Effect,
    Escalation,
    Note,
    Promise,
    Survey,
    User,
    WebhookEvent,
)
from tickets.publishing import publish_inbox
from tickets.redaction import redact_json, without_secrets
from tickets.selectors.staff import staff_name
from tickets.services.audit import audit
from tickets.services.locking import lock as lock  # who writes to a conversation takes these from here
from tickets.services.locking import lock_free as lock_free
from tickets.services.promises import REPLY, promises_settle
from tickets.services.resolutions import resolution_of_close, resolution_revoke
from tickets.services.webhooks import tell_closed, tell_escalation

REOPENS_WITHIN = timedelta(days=14)
ASKED_AGAIN_AFTER = timedelta(days=7)
"""How long a customer who was asked how it was is left in peace."""
CONNECTED = timedelta(seconds=45)
"""A customer whose socket was seen within this is still there."""
NOBODY_THERE = "This is a background task: there is no customer in it."
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
    for __ in range(5):
        try:
            with transaction.atomic():
                conversation = Conversation.objects.create(
                    channel=channel,
                    customer=customer,
                    identity=identity,
                    verified_at=timezone.now() if customer else None,
                    contact_email=customer.email if customer else "",
                    locale=locale,
                    metadata=redact_json(metadata or {}, without_secrets),
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
        raise Conflict(_("This conversation belongs to another customer."))
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
def customers_seen(conversation_ids: Collection[UUID]) -> None:
    """Their customers have a socket open now. Locked rows are left out: web processes must not wait for a turn."""
    now = timezone.now()
    free = Conversation.objects.filter(pk__in=conversation_ids).select_for_update(skip_locked=True, no_key=True)
    found = list(free.values_list("pk", "status", "customer_seen_at"))
    Conversation.objects.filter(pk__in=[pk for pk, _, _ in found]).update(customer_seen_at=now)
    for pk, status, seen_at in found:
        came_back = seen_at is None or now - seen_at > CONNECTED
        if came_back and status in (Conversation.Status.WAITING, Conversation.Status.HUMAN):
            publish_inbox(pk, "connected")


@transaction.atomic
def conversation_claim(*, conversation_id: UUID, staff: User) -> Conversation:
    """Take over: exactly one wins, the others get Conflict. From this commit the assistant is silent (I10)."""
    conversation = lock_of_customer(conversation_id)
    if conversation.status == Conversation.Status.HUMAN:
        if conversation.assignee_id == staff.pk:
            return conversation
        raise Conflict(f"{staff_name(conversation.assignee)} has already taken this conversation.")
    if conversation.status == Conversation.Status.CLOSED:
        raise Conflict("This conversation is closed.")
    before = conversation.status
    _claim_escalation(conversation, staff)
    woken = wake(conversation)
    _tell_agent(conversation, "taken_over")
    status_set(conversation, Conversation.Status.HUMAN, assignee=staff, why="claimed")
    changes = {"status": (before, "human"), "assignee": (None, staff.username), **woken}
    audit(actor=staff, action="conversation.claim", obj=conversation, changes=changes)
    return conversation


@transaction.atomic
def conversation_hand_back(*, conversation: Conversation, staff: User, instruction: str = "") -> Conversation:
    """The assistant answers again; `instruction` is kept for its next turn. Raises Conflict for a colleague's."""
    conversation = lock(conversation.pk)
    if conversation.status != Conversation.Status.HUMAN:
        raise Conflict("Only a conversation with staff can be handed back.")
    _check_may_end(conversation, staff)
    _end_escalations(conversation, Escalation.Status.HANDED_BACK, timezone.now())
    promises_settle(conversation=conversation, about=REPLY, state=Promise.State.WITHDRAWN)
    told = conversation.metadata.get("instruction")
    instruction = without_secrets(instruction.replace("\x00", "")[:1000])
    changes = {
        "status": ("human", "ai"),
        "assignee": (username_of(conversation.assignee), None),
        "instruction": (told, instruction),
    }
    conversation.metadata = {**conversation.metadata, "instruction": instruction}
    if instruction.strip():  # colleagues read in the thread what the assistant was told
        text = f"Handed back with: {instruction.strip()}"
        Note.objects.create(conversation=conversation, author=staff, text=text, after_seq=conversation.last_seq)
    wake(conversation, "metadata")
    status_set(conversation, Conversation.Status.AI, assignee=None, why="handed_back")
    audit(actor=staff, action="conversation.hand_back", obj=conversation, changes=changes)
    _hands_free()
    return conversation


@transaction.atomic
def conversation_decided(*, conversation: Conversation, staff: User) -> None:
    """What it waited for was decided, and nobody took it over: the assistant goes on. The caller holds the lock."""
    _end_escalations(conversation, Escalation.Status.HANDED_BACK, timezone.now())
    woken = wake(conversation)
    status_set(conversation, Conversation.Status.AI, assignee=None, why="decided")
    audit(actor=staff, action="conversation.decided", obj=conversation, changes={"status": ("waiting", "ai"), **woken})
    _hands_free()


@transaction.atomic
def conversation_close(*, conversation: Conversation, actor: User | None = None) -> Conversation:
    """End it; closing twice does nothing. Asks how it was, unless they were asked lately. Raises Conflict for a
    colleague's."""
    conversation = lock_of_customer(conversation.pk)
    if conversation.status == Conversation.Status.CLOSED:
        return conversation
    if actor is not None:
        _check_may_end(conversation, actor)
    before, now = conversation.status, timezone.now()
    _end_escalations(conversation, Escalation.Status.CLOSED, now)
    promises_settle(conversation=conversation, about=REPLY, state=Promise.State.WITHDRAWN)
    conversation.closed_at = now
    wake(conversation, "closed_at")
    _tell_agent(conversation, "closed")
    status_set(conversation, Conversation.Status.CLOSED, assignee=conversation.assignee, why="closed")
    tell_closed(conversation)
    resolution_of_close(
        conversation=conversation, was_waiting=before == Conversation.Status.WAITING, by_customer=actor is None
    )
    _ask_how_it_was(conversation, now)
    if actor is not None:
        audit(actor=actor, action="conversation.close", obj=conversation, changes={"status": (before, "closed")})
    if before in (Conversation.Status.WAITING, Conversation.Status.HUMAN):
        _hands_free()
    return conversation


@transaction.atomic
def conversation_shut(*, conversation: Conversation) -> Conversation:
    """End it and all that is open in it without asking anybody anything: its customer's data is about to be erased."""
    conversation, now = lock(conversation.pk), timezone.now()
    _tell_agent(conversation, "erased")
    Promise.objects.filter(conversation=conversation, state=Promise.State.OPEN).update(state=Promise.State.WITHDRAWN)
    undecided = (Action.State.PROPOSED, Action.State.AWAITING_STAFF)
    actions = Action.objects.filter(conversation=conversation)
    actions.filter(state__in=undecided).update(state=Action.State.EXPIRED)
    actions.filter(state=Action.State.CONFIRMED).update(state=Action.State.FAILED)
    actions.filter(state=Action.State.DONE).update(undo_until=None)
    _forget_effects(conversation, now)
    if conversation.status != Conversation.Status.CLOSED:
        _end_escalations(conversation, Escalation.Status.CLOSED, now)
        conversation.closed_at = now
        wake(conversation, "closed_at")
        status_set(conversation, Conversation.Status.CLOSED, assignee=conversation.assignee, why="closed")
    return conversation


def _forget_effects(conversation: Conversation, now: datetime) -> None:
    """What was not sent yet never is; nobody asks about the rest any more, for what was asked for is erased."""
    mine = Effect.objects.filter(action__conversation=conversation, settled_at=None)
    for effect in mine.select_for_update(of=("self",), no_key=True):
        is_unsent = effect.state == Effect.State.INTENDED and not effect.questions
        effect.state = Effect.State.REFUSED if is_unsent else Effect.State.GIVEN_UP
        effect.next_at, effect.settled_at = None, now
        effect.save(update_fields=["state", "next_at", "settled_at"])


@transaction.atomic
def conversation_reopen(*, conversation: Conversation) -> Conversation:
    """A message within 14 days of closing opens it again, with the assistant. Raises Conflict after that."""
    conversation = lock(conversation.pk)
    if conversation.status != Conversation.Status.CLOSED:
        return conversation
    if not can_reopen(conversation):
        raise Conflict(_("This conversation has been closed for over 14 days."))
    conversation.closed_at = None
    conversation.save(update_fields=["closed_at"])
    resolution_revoke(conversation=conversation)
    status_set(conversation, Conversation.Status.AI, assignee=None, why="reopened")
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
    continued, __ = conversation_create(
        channel=conversation.channel,
        customer=conversation.customer,
        identity=conversation.identity,
        locale=conversation.locale,
        address_hash=conversation.address_hash,
        token=token,
        continued_from=conversation,
    )
    return continued, token


def lock_of_customer(conversation_id: UUID) -> Conversation:
    """`lock` for what staff do with a customer's conversation; raises Conflict for a background task's."""
    conversation = lock(conversation_id)
    if conversation.channel == Conversation.Channel.TASK:
        raise Conflict(NOBODY_THERE)
    return conversation


def can_reopen(conversation: Conversation) -> bool:
    closed_at = conversation.closed_at
    return closed_at is None or timezone.now() - closed_at <= REOPENS_WITHIN


def status_set(
    conversation: Conversation,
    status: Conversation.Status,
    *,
    assignee: User | None,
    why: str = "status",
    **told: Any,
) -> None:
    """Write it and tell everybody; `told` joins the customer's event. The caller holds the conversation's lock."""
    conversation.status, conversation.assignee = status, assignee
    conversation.save(update_fields=["status", "assignee"])
    payload: dict[str, Any] = {"status": status.value, **told}
    if status == Conversation.Status.HUMAN and assignee is not None:
        payload["staff"] = staff_name(assignee)
        profile = getattr(assignee, "staff_profile", None)
        if profile and profile.team:
            payload["team"] = profile.team.name
    event_append(conversation=conversation, type="status", payload=payload)
    publish_inbox(conversation.pk, why)


def username_of(user: User | None) -> str | None:
    """How the audit names a person."""
    return user.get_username() if user else None


def _check_may_end(conversation: Conversation, staff: User) -> None:
    """Asked under the lock: a moment ago it may have been theirs."""
    if not may_act_for(conversation, staff):
        raise Conflict(f"{staff_name(conversation.assignee)} has this conversation.")


def wake(conversation: Conversation, *written: str) -> dict[str, tuple[Any, Any]]:
    """What was put off is not any more; saves what else was written. What changed, for the audit."""
    fresh = {"snoozed_until": None, "awaits_customer": False}
    changes = {name: (was, now) for name, now in fresh.items() if (was := getattr(conversation, name)) != now}
    conversation.snoozed_until, conversation.awaits_customer = None, False
    conversation.save(update_fields=[*fresh, *written])
    return changes


def _end_escalations(conversation: Conversation, status: Escalation.Status, now: datetime) -> None:
    for escalation in _escalations(conversation).filter(status__in=OPEN):  # one at most
        escalation.status, escalation.ended_at = status, now
        escalation.save(update_fields=["status", "ended_at"])
        tell_escalation(escalation, WebhookEvent.ESCALATION_ENDED)


def _claim_escalation(conversation: Conversation, staff: User) -> None:
    for escalation in _escalations(conversation).filter(status=Escalation.Status.WAITING):
        escalation.status, escalation.claimed_by = Escalation.Status.CLAIMED, staff
        escalation.claimed_at = timezone.now()
        escalation.save(update_fields=["status", "claimed_by", "claimed_at"])
        tell_escalation(escalation, WebhookEvent.ESCALATION_CLAIMED)


def _escalations(conversation: Conversation) -> QuerySet[Escalation]:
    return Escalation.objects.filter(conversation=conversation).select_related(
        "team", "claimed_by", "conversation__customer"
    )


def _ask_how_it_was(conversation: Conversation, now: datetime) -> None:
    """Once for a conversation, and a customer at most once in ASKED_AGAIN_AFTER."""
    asked = Q(conversation=conversation)
    if conversation.customer_id is not None:
        asked |= Q(conversation__customer=conversation.customer_id, created_at__gt=now - ASKED_AGAIN_AFTER)
    if not Survey.objects.filter(asked).exists():
        Survey.objects.create(conversation=conversation)
        event_append(conversation=conversation, type="survey", payload={"state": Survey.State.REQUESTED})


def _tell_agent(conversation: Conversation, why: str) -> None:
    for hook in hooks.on_people_took_over:
        hook(conversation, why)


def _hands_free() -> None:
    for hook in hooks.on_hands_free:
        hook()
