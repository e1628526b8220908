"""What each client frame does: one synchronous function a type, whichever way the frame came (docs/transport.md).

Every call looks the visitor and the conversation up again, so a frame never acts on rights that are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from support_agent.chat import frames
from support_agent.chat.visitors import remember_by_key, visitor_of_scope
from support_agent.runtime import renewals, submit
from support_agent.runtime.ratelimit import allow
from tickets.access import Visitor, conversation_for_visitor
from tickets.errors import Conflict, DeskError, NotFound
from tickets.languages import speaking
from tickets.models import Conversation, Verification
from tickets.publishing import group_of, publish
from tickets.services.actions import action_decide, action_undo
from tickets.services.conversations import contact_set, read_mark
from tickets.services.identity import attempts_left, verification_again, verification_check, verification_start
from tickets.services.surveys import feedback_give, survey_answer, survey_dismiss

Json = dict[str, Any]
Replies = list[Json]


class BadValue(DeskError):
    code = "bad_frame"


class Gone(Exception):
    """The conversation is no longer this visitor's."""


def nothing() -> None:
    """A socket cannot give its browser another cookie."""


@dataclass(frozen=True, slots=True)
class Call:
    """One frame and whose it is; `remember` binds one more conversation to the browser, `renew` changes its session's
    key."""

    visitor: Visitor
    conversation: Conversation
    remember: Callable[[UUID], None]
    renew: Callable[[], None]


def perform(scope: Mapping[str, Any], conversation_id: UUID, frame: frames.AnyFrame) -> Replies:
    """Carry out one frame of a socket. Raises DeskError, SignedOut or Gone."""
    return carry_out(visitor_of_scope(scope), conversation_id, frame, remember=partial(remember_by_key, scope))


def carry_out(
    visitor: Visitor,
    conversation_id: UUID,
    frame: frames.AnyFrame,
    *,
    remember: Callable[[UUID], None],
    renew: Callable[[], None] = nothing,
) -> Replies:
    """Carry out one frame and return what to tell its sender. Raises DeskError or Gone."""
    try:
        conversation = conversation_for_visitor(conversation_id, visitor)
    except NotFound:
        raise Gone from None
    with speaking(conversation.locale):  # what is refused, and what is written down
        allow("frame", str(conversation_id))
        return COMMANDS[frame.type](Call(visitor, conversation, remember, renew), frame)


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
        call.remember(done.conversation.pk)
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


def renew(call: Call, frame: frames.RenewFrame) -> Replies:
    allow("renewal", str(call.conversation.pk))
    renewals.renew(conversation=call.conversation, action_id=frame.action_id)
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
    """With an address a code is sent, with `again` another to the same address; with a code it is tried."""
    allow("verification", call.visitor.address or str(call.conversation.pk))
    if frame.again:
        verification_again(conversation=call.conversation)
        return []
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
    if verification.state == Verification.State.VERIFIED:
        call.renew()  # whoever planted the old key must not come in along with its owner
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
        conversation=call.conversation,
        message_id=frame.message_id,
        helpful=frame.helpful,
        reason=frame.reason,
        cause=frame.cause,
    )
    said = {"helpful": frame.helpful, "reason": frame.reason, "cause": frame.cause}
    return [{"type": "thanks", "about": "feedback", "message_id": str(frame.message_id), "thumb": said}]


def survey(call: Call, frame: frames.SurveyFrame) -> Replies:
    if frame.rating is None:
        survey_dismiss(conversation=call.conversation)
    else:
        survey_answer(conversation=call.conversation, rating=frame.rating, comment=frame.comment)
    return []


def ping(call: Call, __: frames.PlainFrame) -> Replies:
    return [{"type": "pong", "last_seq": call.conversation.last_seq}]


COMMANDS: dict[str, Callable[[Call, Any], Replies]] = {
    command.__name__: command
    for command in (
        *(message, confirm, undo, renew, stop, human, close, verify),
        *(contact, typing, read, feedback, survey, ping),
    )
}


def _email(value: str) -> str:
    value = value.strip()
    try:
        validate_email(value)
    except ValidationError:
        raise BadValue(_("Please enter an e-mail address, such as name@example.com.")) from None
    return value
