"""A whole conversation from life as an evaluation case: its messages, clicks, sign-in and the button for a person, in
the order they happened in, up to the moment a member of staff took over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from support_agent.evals.saving import SETTLED, Told, keep
from support_agent.evals.settled import Deed
from support_agent.models import SavedCase, Step, Turn
from support_agent.runtime.step_json import in_order, of_row
from tickets.models import Action, Conversation, Escalation, EscalationReason, Event, Message, User

Json = dict[str, Any]
MOST_WHOLE = 12  # messages of the customer
CLICKED = {
    Action.State.CONFIRMED: "confirm",
    Action.State.DONE: "confirm",
    Action.State.AWAITING_STAFF: "confirm",
    Action.State.FAILED: "confirm",
    Action.State.DECLINED: "decline",
    Action.State.UNDONE: "undo",
}
PRESSED = "The customer pressed"


@dataclass
class _Played:
    """What happened so far, as steps."""

    steps: list[str | Json] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    deeds: dict[str, Deed] = field(default_factory=dict)
    until: Event | None = None


def case_save_whole(*, conversation: Conversation, name: str, staff: User) -> SavedCase:
    """Keep it under a free name, as it went. Raises ValueError when it cannot be a case."""
    return keep(told_whole(conversation), name, staff)


def told_whole(conversation: Conversation) -> Told:
    """From its beginning: up to MOST_WHOLE messages of the customer, and what they did in between."""
    played = _played(conversation)
    turns = list(dict.fromkeys(message.turn_id for message in played.messages if message.turn_id))
    if not turns or played.until is None:
        raise ValueError("The conversation has no message of a customer that the assistant answered.")
    if Turn.objects.filter(pk__in=turns, finished_at=None).exists():
        raise ValueError("A turn of it has not ended yet.")
    last = Turn.objects.select_related("conversation__customer").get(pk=turns[-1])
    answers = list(Message.objects.filter(turn_id__in=turns, role=Message.Role.ASSISTANT).order_by("seq"))
    ended = max(played.until.created_at, last.finished_at or last.created_at)
    handed_over = Escalation.objects.filter(conversation=conversation, created_at__lte=ended + SETTLED)
    return Told(
        turn=last,
        messages=played.messages,
        steps=[_steps_of(turn) for turn in turns],
        outcome=last.state,
        answer="\n\n".join(answer.text for answer in answers),
        cited=[str(source["url"]).strip("/").split("/")[-1] for one in answers for source in one.sources],
        reasons=list(handed_over.order_by("created_at").values_list("reason", flat=True)),
        played=played.steps,
        settled=list(played.deeds.values()),
    )


def _played(conversation: Conversation) -> _Played:
    played, signs_in = _Played(), conversation.verified_at
    pressed = _pressed(conversation)
    events = Event.objects.filter(conversation=conversation, type__in=["message", "action", "status"])
    for event in events.select_related("message").order_by("seq"):
        if event.type == "status" and event.payload.get("status") == Conversation.Status.HUMAN:
            break  # from here on a person answered
        if _is_said(event) and len(played.messages) == MOST_WHOLE:
            break
        if signs_in and played.messages and event.created_at >= signs_in:
            played.steps.append({"sign_in": True})
        signs_in = signs_in if signs_in and event.created_at < signs_in else None
        if _is_said(event) and event.message is not None:
            played.messages.append(event.message)
            played.steps.append(event.message.text)
        elif event.type == "action":
            _note_action(played, event.payload["action"])
        elif pressed and played.messages and _waits_from(event, pressed[0]):
            played.steps.append({"human": True})
            pressed.pop(0)
        played.until = event
    return played


def _waits_from(event: Event, moment: datetime) -> bool:
    is_waiting = event.type == "status" and event.payload.get("status") == Conversation.Status.WAITING
    return is_waiting and abs(event.created_at - moment) < SETTLED


def _is_said(event: Event) -> bool:
    said = event.message
    return said is not None and said.role == Message.Role.CUSTOMER and said.turn_id is not None


def _pressed(conversation: Conversation) -> list[datetime]:
    """When the customer asked for a person by the button, in order."""
    asked = Escalation.objects.filter(conversation=conversation, reason=EscalationReason.ASKED)
    return list(asked.filter(summary__startswith=PRESSED).order_by("created_at").values_list("created_at", flat=True))


def _note_action(played: _Played, action: Json) -> None:
    """An offer, or what a click made of it; what staff decide later is no step of the customer's."""
    known = played.deeds.get(action["id"])
    if known is None:
        arguments = Action.objects.filter(pk=action["id"]).values_list("arguments", flat=True).first()
        known = played.deeds[action["id"]] = Deed(action["tool"], arguments or {}, Action.State.PROPOSED)
    state = action["state"]
    click = CLICKED.get(state)
    if click is None or known.state == Action.State.AWAITING_STAFF:
        return
    if known.state == Action.State.PROPOSED or (click == "undo" and known.state == Action.State.DONE):
        played.steps.append({"click": click})
    known.state = state


def _steps_of(turn: UUID | None) -> list[Json]:
    return [of_row(step) for step in in_order(Step.objects.filter(turn=turn))]
