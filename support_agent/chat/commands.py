"""What each client frame does: one synchronous function a type, run in the database pool by the consumer.

Every call looks the visitor and the conversation up again, so a frame never acts on rights that are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from support_agent.chat import frames
from support_agent.chat.visitors import remember_by_key, visitor_of_scope
from support_agent.runtime import submit
from support_agent.runtime.ratelimit import allow
from tickets.access import Visitor, conversation_for_visitor
from tickets.errors import Conflict, DeskError, NotFound
from tickets.languages import speaking
from tickets.models import Conversation, Verification
from tickets.publishing import group_of, publish
from tickets.services.actions import action_decide, action_undo
from tickets.services.conversations import contact_set, read_mark
from tickets.services.identity import attempts_left, verification_check, verification_start
from tickets.services.surveys import feedback_give, survey_answer

Json = dict[str, Any]
Replies = list[Json]


class BadValue(DeskError):
    code = "bad_frame"


class Gone(Exception):
    """The conversation is no longer this visitor's."""


@dataclass(frozen=True, slots=True)
class Call:
    """One frame and where it came from."""

    scope: Mapping[str, Any]
    visitor: Visitor
    conversation: Conversation


def perform(scope: Mapping[str, Any], conversation_id: UUID, frame: frames.AnyFrame) -> Replies:
    """Carry out one frame and return what to tell its sender. Raises DeskError, SignedOut or Gone."""
    visitor = visitor_of_scope(scope)
    try:
        conversation = conversation_for_visitor(conversation_id, visitor)
    except NotFound:
        raise Gone from None
    with speaking(conversation.locale):  # what is refused, and what is written down
        allow("frame", str(conversation_id))
        return COMMANDS[frame.type](Call(scope, visitor, conversation), frame)


def message(call: Call, frame: frames.MessageFrame) -> Replies:
    """Commit first, acknowledge after; a conversation closed long ago goes on in a new one."""
    done = submit.submit_message(
        conversation=call.conversation,
        visitor=call.visitor,
        client_message_id=frame.client_message_id,
        text=frame.text,
        attachments=frame.attachments,
    )
    replies: Replies = [
        {
            "type": "ack",
            "client_message_id": str(frame.client_message_id),
            "message_id": str(done.message.pk),
            "seq": done.message.seq,
        }
    ]
    if done.moved_token:
        remember_by_key(call.scope, done.conversation.pk)
        replies.append(
            {
                "type": "moved",
                "conversation_id": str(done.conversation.pk),
                "ws_url": f"/ws/chat/{done.conversation.pk}/",
                "token": done.moved_token,
            }
        )
    return replies


def confirm(call: Call, frame: frames.ConfirmFrame) -> Replies:
    action_decide(conversation=call.conversation, action_id=frame.action_id, token=frame.token, approve=frame.approve)
    return []


def undo(call: Call, frame: frames.UndoFrame) -> Replies:
    action_undo(conversation=call.conversation, action_id=frame.action_id)
    return []


def stop(call: Call, __: frames.PlainFrame) -> Replies:
    submit.stop_turn(conversation=call.conversation)
    return []


def human(call: Call, __: frames.PlainFrame) -> Replies:
    submit.request_human(conversation=call.conversation)
    return []


def close(call: Call, __: frames.PlainFrame) -> Replies:
    submit.close(conversation=call.conversation)
    return []


def verify(call: Call, frame: frames.VerifyFrame) -> Replies:
    """With an address a code is sent; with a code it is tried."""
    allow("verification", call.visitor.address or str(call.conversation.pk))
    if not frame.code:
        verification_start(conversation=call.conversation, email=_email(frame.email))
        return []
    verification = verification_check(conversation=call.conversation, code=frame.code)
    if verification.state == Verification.State.REQUESTED:
        left = attempts_left(verification)
        told = ngettext(
            "That code is not right. You have %(left)s more try.",
            "That code is not right. You have %(left)s more tries.",
            left,
        )
        raise Conflict(told % {"left": left})
    return []


def contact(call: Call, frame: frames.ContactFrame) -> Replies:
    allow("contact", str(call.conversation.pk))
    email = _email(frame.email)
    contact_set(conversation=call.conversation, email=email)
    return [{"type": "thanks", "about": "contact", "email": email}]


def typing(call: Call, __: frames.PlainFrame) -> Replies:
    frame = {"type": "typing", "who": "customer"}
    publish([(group_of(call.conversation.pk), {"type": "conversation.frame", "frame": frame})])
    return []


def read(call: Call, frame: frames.ReadFrame) -> Replies:
    read_mark(conversation=call.conversation, seq=frame.seq)
    return []


def feedback(call: Call, frame: frames.FeedbackFrame) -> Replies:
    feedback_give(
        conversation=call.conversation, message_id=frame.message_id, helpful=frame.helpful, reason=frame.reason
    )
    done = frame.helpful or bool(frame.reason)
    return [{"type": "thanks", "about": "feedback", "message_id": str(frame.message_id), "done": done}]


def survey(call: Call, frame: frames.SurveyFrame) -> Replies:
    survey_answer(conversation=call.conversation, rating=frame.rating, comment=frame.comment)
    return []


def ping(call: Call, __: frames.PlainFrame) -> Replies:
    return [{"type": "pong", "last_seq": call.conversation.last_seq}]


COMMANDS: dict[str, Callable[[Call, Any], Replies]] = {
    command.__name__: command
    for command in (message, confirm, undo, stop, human, close, verify, contact, typing, read, feedback, survey, ping)
}


def _email(value: str) -> str:
    value = value.strip()
    try:
        validate_email(value)
    except ValidationError:
        raise BadValue(_("Please enter an e-mail address, such as name@example.com.")) from None
    return value
