"""From a customer's message to a queued turn, in one transaction; and the other things a customer can ask for.

All functions are synchronous: async code calls them by `in_db`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from support_agent.models import Turn
from support_agent.runtime import signals
from support_agent.runtime.careful import answering_of, people_answer
from support_agent.runtime.endings import end_turns
from support_agent.runtime.modes import LIVE, surface_of
from support_agent.runtime.ratelimit import allow
from tickets import hours
from tickets.access import Visitor
from tickets.languages import speaking
from tickets.models import Conversation, EscalationReason, Message
from tickets.selectors.escalations import escalation_open_of
from tickets.services.attachments import attachment_payload, attachments_bind, attachments_take
from tickets.services.conversations import (
    can_reopen,
    conversation_close,
    conversation_continue,
    conversation_reopen,
    lock,
)
from tickets.services.escalations import escalation_open, reply_owed
from tickets.services.messages import message_customer, message_posted, message_system
from tickets.sql import as_rows, fetched, inserted

_QUEUED = "SELECT {columns} FROM support_agent_turn WHERE conversation_id = %(conversation)s AND state = 'queued'"
ANSWERED_BY_ASSISTANT = {Conversation.Status.AI, Conversation.Status.WAITING}


@dataclass(frozen=True, slots=True)
class Submitted:
    """`turn` is None while a person has the conversation or people answer on its surface.

    `moved_token` is set when it goes on in a new one.
    """

    conversation: Conversation
    message: Message
    turn: Turn | None
    created: bool
    moved_token: str = ""


def submit_message(
    *,
    conversation: Conversation,
    visitor: Visitor,
    client_message_id: UUID,
    text: str,
    attachments: Sequence[UUID | str] = (),
) -> Submitted:
    """Message + Event + Turn(queued) in one transaction; the same id and text again changes nothing.

    `attachments` are ids of unsent ones of this conversation. Raises Empty, TooLong, Conflict, RateLimited, or NotFound
    for an attachment that is foreign, missing or sent already.
    """
    allow("message", str(conversation.pk))
    if visitor.address:
        allow("message_address", visitor.address)
    with transaction.atomic():
        origin = conversation = lock(conversation.pk, known=conversation)
        token = ""
        while True:
            known = message_posted(conversation=conversation, client_message_id=client_message_id, text=text)
            if known is not None:
                return Submitted(conversation, known, _turn_of(known), False, token)
            if conversation.status != Conversation.Status.CLOSED or can_reopen(conversation):
                break
            conversation, token = conversation_continue(conversation=conversation)
        if conversation.status == Conversation.Status.CLOSED:
            conversation = conversation_reopen(conversation=conversation)
        mode = answering_of(conversation)
        answers = mode == LIVE and conversation.status in ANSWERED_BY_ASSISTANT
        turn = _waiting_turn(conversation) if answers else None
        taken = attachments_take(conversation=origin, ids=attachments, into=conversation)
        message = message_customer(
            conversation=conversation,
            client_message_id=client_message_id,
            text=text,
            attachments=[attachment_payload(attachment) for attachment in taken],
            turn_id=turn.pk if turn else None,
        )
        if taken:
            attachments_bind(attachments=taken, message=message)
        if mode != LIVE:
            people_answer(conversation, mode, message)
        return Submitted(conversation, message, turn, True, token)


@transaction.atomic
def request_human(*, conversation: Conversation) -> None:
    """'Talk to a person': asking once is enough. What the assistant was saying ends; with staff there, nothing does."""
    conversation = lock(conversation.pk)
    if conversation.status == Conversation.Status.HUMAN:
        return
    if (known := escalation_open_of(conversation)) is not None:
        reply_owed(known)  # it may await only a decision
        return
    end_turns(conversation, "human")
    message_system(conversation=conversation, text=_asked_for(conversation))
    escalation_open(
        conversation=conversation,
        reason=EscalationReason.ASKED,
        summary="The customer pressed “Talk to a person”.",
    )


def _asked_for(conversation: Conversation) -> str:
    """What who asked for a person is told, in the conversation's language."""
    with speaking(conversation.locale):
        text = _("You asked for a person. Someone from our team will reply here %(when)s.")
        text %= {"when": hours.when(timezone.now())}
        if conversation.contact_email:
            return text
        return text + " " + _("Leave your e-mail address here if you can't wait.")


@transaction.atomic
def stop_turn(*, conversation: Conversation) -> None:
    """End the turn in progress, if there is one; its runner answers with what was shown."""
    running = Turn.objects.filter(conversation=conversation, state=Turn.State.RUNNING).first()
    if running is not None:
        Turn.objects.filter(pk=running.pk, state=Turn.State.RUNNING).update(stop_requested="stop")
        signals.stop(running.pk, "stop")


def close(*, conversation: Conversation) -> None:
    """The customer ends the conversation."""
    conversation_close(conversation=conversation)


def _waiting_turn(conversation: Conversation) -> Turn:
    """The queued turn that messages join, made when there is none. The caller holds the conversation's lock."""
    queued = next(iter(fetched(Turn, _QUEUED, {"conversation": conversation.pk})), None)
    if queued is None:
        queued = Turn(conversation=conversation, surface=surface_of(conversation))
        inserted(Turn, as_rows([queued]))
        queued._state.adding, queued._state.db = False, connection.alias
        signals.wake()
    return queued


def _turn_of(message: Message) -> Turn | None:
    return Turn.objects.filter(pk=message.turn_id).first() if message.turn_id else None
