"""A careful start: where people answer, what a customer writes waits for a person, and the assistant may draft.

A conversation that was handed over so stays with people until they hand it back or close it: turning a surface up acts
on new conversations, turning it down on the next message of those that run.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from support_agent.agent.errors import TurnLost
from support_agent.agent.types import Surface
from support_agent.models import SurfaceMode, Turn
from support_agent.runtime.controls import controls
from support_agent.runtime.drafts import draft_begin
from support_agent.runtime.endings import end_turns
from support_agent.runtime.modes import DRAFTS, LIVE, OFF, surface_of
from tickets import hours
from tickets.errors import Conflict
from tickets.languages import speaking
from tickets.models import Conversation, EscalationReason, Message, User
from tickets.selectors.escalations import escalation_open_of
from tickets.services.conversations import conversation_hand_back, lock
from tickets.services.escalations import escalation_open
from tickets.services.messages import message_system

SUMMARIES = {OFF: "Careful start: people answer here.", DRAFTS: "Careful start: people answer here, with drafts."}


def answering_of(conversation: Conversation) -> SurfaceMode.Mode:
    """Who answers it now. No query while every surface is live for everybody, but for one that waits."""
    mode = by_mode(conversation)
    if mode == LIVE and conversation.status == Conversation.Status.WAITING:
        escalation = escalation_open_of(conversation)
        if escalation is not None and escalation.reason == EscalationReason.PEOPLE_FIRST:
            return OFF
    return mode


def by_mode(conversation: Conversation) -> SurfaceMode.Mode:
    """What the modes alone say."""
    now = controls()
    return now.modes[surface_of(conversation)].of(conversation.pk) if now.is_careful else LIVE


def people_answer(conversation: Conversation, mode: SurfaceMode.Mode, message: Message) -> None:
    """A customer wrote where people answer; the caller holds the conversation's lock.

    What the assistant was doing there ends, so that nothing of it comes after; a draft is begun where there are drafts.
    """
    if conversation.status in (Conversation.Status.AI, Conversation.Status.WAITING):
        was_with_assistant = conversation.status == Conversation.Status.AI or _assistant_spoke_last(conversation)
        end_turns(conversation, "people_first")
        if was_with_assistant:
            message_system(conversation=conversation, text=_words(conversation))
        escalation_open(conversation=conversation, reason=EscalationReason.PEOPLE_FIRST, summary=SUMMARIES[mode])
    if mode == DRAFTS:
        draft_begin(conversation=conversation, surface=surface_of(conversation), upto_seq=message.seq)


@transaction.atomic
def leave_to_people(turn: Turn, mode: SurfaceMode.Mode) -> None:
    """A turn that was waiting when its surface was turned down. Raises TurnLost when it is no longer ours."""
    conversation = lock(turn.conversation_id)
    if not Turn.objects.filter(pk=turn.pk, attempt=turn.attempt, state=Turn.State.RUNNING).exists():
        raise TurnLost
    message = Message.objects.filter(conversation=conversation, turn_id=turn.pk, role=Message.Role.CUSTOMER)
    people_answer(conversation, mode, message.latest("seq"))


def hand_back(*, conversation: Conversation, staff: User, instruction: str = "") -> Conversation:
    """To the assistant. Raises Conflict where people answer: there is nobody to hand it to."""
    if by_mode(conversation) != LIVE:
        raise Conflict("People answer this conversation, not the assistant. Close it when it is done.")
    return conversation_hand_back(conversation=conversation, staff=staff, instruction=instruction)


def people_answer_on(surface: Surface) -> bool:
    """Whether no conversation of this surface gets the assistant."""
    return controls().modes[surface].is_people_only


def _assistant_spoke_last(conversation: Conversation) -> bool:
    """Of all but the customer: then who waits does not know yet that it falls silent."""
    others = Message.objects.filter(conversation=conversation).exclude(role=Message.Role.CUSTOMER)
    return others.order_by("-seq").values_list("role", flat=True).first() == Message.Role.ASSISTANT


def _words(conversation: Conversation) -> str:
    """That people answer here, and when; in the conversation's language."""
    with speaking(conversation.locale):
        text = _("People answer here, not our assistant. Someone from our team will reply here %(when)s.")
        text %= {"when": hours.when(timezone.now())}
        if conversation.contact_email:
            return text
        return text + " " + _("Leave your e-mail address here if you can't wait.")
