"""The only gates to a conversation. Views, sockets, the API and tools get one here or not at all.

A visitor reaches the conversations of the signed-in customer, those started in the same browser, or the one a bearer
token names. Foreign and missing look alike. Staff reach all, by role.
"""

from __future__ import annotations

import hashlib
import hmac
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Q, QuerySet

from tickets.errors import NotAllowed, NotFound
from tickets.models import Conversation, Role, User

BEGUN_KEY = "conversations"  # in a browser's session: the ids of those begun there
STAFF_ROLES = frozenset(role.value for role in Role)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: ids come from the session and the signed-in user, `token` from the request, never from a body."""

    user_id: UUID | None = None
    customer_id: UUID | None = None
    conversation_ids: frozenset[UUID] = field(default_factory=frozenset)
    token: str = ""
    address: str = ""


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def conversation_for_visitor(conversation_id: UUID, visitor: Visitor) -> Conversation:
    """The visitor's own conversation; raises NotFound for a foreign one as for a missing one."""
    conversation = Conversation.objects.select_related("customer", "assignee").filter(pk=conversation_id).first()
    if conversation is None or not _may_enter(conversation, visitor):
        raise NotFound("There is no such conversation.")
    return conversation


def conversations_of_visitor(visitor: Visitor) -> QuerySet[Conversation]:
    """The visitor's conversations on the page, newest first; a token opens one, it lists nothing."""
    mine = Q(pk__in=visitor.conversation_ids)  # with what a code proved to be somebody's, as _may_enter has it
    if visitor.customer_id:
        mine = Q(pk__in=visitor.conversation_ids, customer=None) | Q(customer=visitor.customer_id)
    return (
        Conversation.objects.filter(mine)
        .exclude(channel=Conversation.Channel.TASK)
        .select_related("customer", "assignee")
        .order_by("-last_message_at")
    )


def is_customer(visitor: Visitor, customer_id: UUID) -> bool:
    """Whether the visitor is signed in as this customer, or may enter a conversation that was verified as theirs."""
    if visitor.token:
        mine = Q(token_hash=token_hash(visitor.token))
    elif visitor.customer_id is not None:
        return visitor.customer_id == customer_id
    else:
        mine = Q(pk__in=visitor.conversation_ids)
    verified = Conversation.objects.filter(mine, customer=customer_id).exclude(channel=Conversation.Channel.TASK)
    return verified.exists()


def conversation_for_staff(key: UUID | str, user: User) -> Conversation:
    """By id or reference (K7F-42P, in any case); raises NotAllowed without a staff role, NotFound when missing."""
    require_role(user, *STAFF_ROLES)
    query = Q(reference__iexact=str(key).strip())
    with suppress(ValueError):
        query |= Q(pk=key if isinstance(key, UUID) else UUID(str(key)))
    conversation = Conversation.objects.select_related("customer", "assignee", "team").filter(query).first()
    if conversation is None:
        raise NotFound("There is no such conversation.")
    return conversation


def staff_roles(user: User) -> frozenset[str]:
    """The roles of a signed-in member of staff; a superuser has them all."""
    if not (user.is_active and user.is_staff):
        return frozenset()
    if user.is_superuser:
        return STAFF_ROLES
    return STAFF_ROLES & frozenset(user.groups.values_list("name", flat=True))


def may_act_for(conversation: Conversation, user: User) -> bool:
    """Who promises, hands back or closes: whoever has it, and leads; while nobody has it, all who answer."""
    if conversation.status != Conversation.Status.HUMAN or conversation.assignee_id == user.pk:
        return True
    return bool(staff_roles(user) & {Role.LEAD.value, Role.ADMIN.value})


def require_role(user: User, *roles: str) -> None:
    if not staff_roles(user) & frozenset(roles):
        raise NotAllowed("Your role does not permit this.")


def _may_enter(conversation: Conversation, visitor: Visitor) -> bool:
    if conversation.channel == Conversation.Channel.TASK:
        return False  # staff asked for it, about the customer perhaps
    if visitor.token and conversation.token_hash:
        return hmac.compare_digest(token_hash(visitor.token), conversation.token_hash)
    if conversation.customer_id is not None and visitor.customer_id is not None:
        return conversation.customer_id == visitor.customer_id
    # Started in this browser. One that a customer verified by code stays with the browser session that did it;
    # one made while signed in is closed to the session once its owner signs out (logout flushes the session).
    return conversation.pk in visitor.conversation_ids
