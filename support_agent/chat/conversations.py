"""Which conversation the chat page shows, how one begins, and what signing in does to those begun before."""

from __future__ import annotations

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from support_agent.chat.visitors import address_hash, remember, remembered, visitor_of_request
from support_agent.runtime.controls import check_open
from support_agent.runtime.ratelimit import allow
from tickets.access import Visitor, conversation_for_visitor, conversations_of_visitor
from tickets.errors import Conflict, NotFound
from tickets.languages import spoken
from tickets.models import Conversation, Customer
from tickets.services.conversations import conversation_create, conversation_identify


def conversation_current(session: SessionBase, visitor: Visitor) -> Conversation | None:
    """The one this browser used last, else the signed-in customer's newest that is still open, which it uses from then
    on: ended here, it stays in view with its survey, and no older one comes in its place."""
    for conversation_id in reversed(remembered(session)):
        try:
            return conversation_for_visitor(conversation_id, visitor)
        except NotFound:
            continue
    open_ones = conversations_of_visitor(visitor).exclude(status=Conversation.Status.CLOSED)
    found = open_ones.filter(channel=Conversation.Channel.CHAT).first()
    if found is not None:
        remember(session, found.pk)
    return found


def conversation_begin(request: HttpRequest) -> Conversation:
    """A new conversation of this browser, bound to whoever is signed in. Raises RateLimited or Paused."""
    visitor = visitor_of_request(request)
    allow("conversation", visitor.address)
    check_open()
    customer = Customer.objects.filter(pk=visitor.customer_id).first() if visitor.customer_id else None
    conversation, _ = conversation_create(
        channel=Conversation.Channel.CHAT,
        customer=customer,
        identity=Conversation.Identity.SESSION if customer else Conversation.Identity.NONE,
        locale=spoken(),
        address_hash=address_hash(visitor.address),
    )
    remember(request.session, conversation.pk)
    return conversation


def conversations_claim(session: SessionBase, customer: Customer) -> None:
    """After signing in: what this browser began without a name now belongs to the customer."""
    for conversation in Conversation.objects.filter(pk__in=remembered(session), customer=None):
        try:
            conversation_identify(conversation=conversation, customer=customer, identity=Conversation.Identity.SESSION)
        except Conflict:
            continue  # another customer proved to own it meanwhile
