"""A turn's start as it was: what was said and looked up before it, who was known, what the server told the model, and
which prompts spoke. Nothing that came later is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from support_agent.agent.memory import reminder
from support_agent.agent.remembered import Memory
from support_agent.agent.types import Json, StepKind, Surface, TurnInput
from support_agent.models import ConversationMemory, Step, ToolCall, Turn
from support_agent.runtime.assists import evidence_for
from support_agent.runtime.catalogue import extras_for
from support_agent.runtime.history import (
    ASSISTS,
    MAX_EVIDENCE,
    article_score_of,
    assist_of_turn,
    doubted_before,
    draft_of_turn,
    drafted_input,
)
from support_agent.runtime.memories import FORGOTTEN, MAX_MESSAGES, TOLD, as_written, remembered
from support_agent.runtime.pictures import MAX_SEEN, pictures_of
from support_agent.runtime.replay_tools import AsThen
from support_agent.runtime.step_json import in_order
from tickets import hours
from tickets.audience import readers_of
from tickets.models import Action, Conversation, Event, Message
from tickets.selectors.customers import customer_by_id

ROLES = [Message.Role.CUSTOMER, Message.Role.ASSISTANT, Message.Role.STAFF]
_TOKENS_LEFT = re.compile(r"\n?tokens left for this turn: \d+")


@dataclass(frozen=True, slots=True)
class Past:
    """A turn as it began: the engine's input, its steps in order, and what rehearsals need."""

    turn: Turn
    start: TurnInput
    steps: list[Step]
    then: AsThen


def past_of(turn: Turn) -> Past:
    """Read it all; about ten queries, none of which grows with what came later."""
    conversation = turn.conversation
    moment = turn.started_at or turn.created_at
    steps = in_order(Step.objects.filter(turn=turn))
    asked = list(Message.objects.filter(turn_id=turn.pk, role=Message.Role.CUSTOMER).order_by("seq"))
    before = _said_before(conversation, asked, turn.created_at)
    status = _status_then(conversation, moment)
    is_verified = _was_verified(turn, moment)
    customer_id = conversation.customer_id if is_verified else None
    text = "\n\n".join(filter(None, map(as_written, asked))) or "(an empty message)"
    pictures = [picture for message in asked for picture in pictures_of(message)][-MAX_SEEN:]
    looked_up = _looked_up(turn, moment)
    is_task = conversation.channel == Conversation.Channel.TASK
    assist = assist_of_turn(turn) if is_task else None
    evidence = [
        *(json.dumps(call.result, default=str) for call in reversed(looked_up[-MAX_EVIDENCE:])),
        *(message.text for message in before if message.role == Message.Role.STAFF),
    ]
    start = TurnInput(
        turn_id=turn.pk,
        conversation_id=conversation.pk,
        surface=Surface(turn.surface),
        verified=is_verified,
        locale=conversation.locale,
        text=text,
        pictures=pictures,
        extras=extras_for(Surface(turn.surface)),
        memory=_memory(turn, moment, before, looked_up, shown=MAX_SEEN - len(pictures)),
        notice=_notice_recorded(steps) or _notice(turn, moment, status, is_verified, len(before)),
        evidence=evidence_for(assist, moment) if assist else evidence,
        article_score=_score(turn, steps, text, customer_id),
        doubted=doubted_before(turn),
        mutations_allowed=status == Conversation.Status.AI and not is_task,
        assist=ASSISTS[assist.purpose] if assist else "",
    )
    if (draft := draft_of_turn(turn)) is not None:  # what it answered has not changed since
        start = replace(drafted_input(turn, draft), notice=_notice_recorded(steps) or start.notice)
    then = AsThen(conversation.pk, turn.pk, customer_id, status, conversation.locale, moment)
    return Past(turn, start, steps, then)


def _said_before(conversation: Conversation, asked: Sequence[Message], begun: datetime) -> list[Message]:
    spoken = Message.objects.filter(conversation=conversation, role__in=ROLES)
    spoken = spoken.filter(seq__lt=asked[0].seq) if asked else spoken.filter(created_at__lt=begun)
    return list(reversed(spoken.order_by("-seq")[:MAX_MESSAGES]))


def _was_verified(turn: Turn, moment: datetime) -> bool:
    conversation = turn.conversation
    if conversation.customer_id is None:
        return False
    return conversation.verified_at is None or conversation.verified_at <= moment


def _status_then(conversation: Conversation, moment: datetime) -> str:
    told = Event.objects.filter(conversation=conversation, type="status", created_at__lte=moment)
    payload = told.order_by("-seq").values_list("payload", flat=True).first()
    return str(payload["status"]) if payload else Conversation.Status.AI


def _looked_up(turn: Turn, moment: datetime) -> list[ToolCall]:
    """The tool calls before the turn, oldest first; a proposal that was clicked later is still one."""
    calls = ToolCall.objects.filter(conversation=turn.conversation_id, created_at__lt=moment).exclude(turn=turn)
    newest = list(calls.select_related("action").order_by("-created_at")[:100])
    changed = [call for call in newest if call.action and call.action.decided_at and call.action.decided_at > moment]
    if changed:
        proposals = Step.objects.filter(turn__in={call.turn_id for call in changed}, kind=StepKind.TOOL_CALL.value)
        read = {(step.turn_id, step.tool, str(step.output.get("action_id"))): step.output for step in proposals}
        for call in changed:
            call.result = read.get((call.turn_id, call.tool, str(call.action_id)), call.result)
            call.status = str(call.result.get("status", call.status))
    return list(reversed(newest))


def _memory(
    turn: Turn, moment: datetime, before: Sequence[Message], looked_up: Sequence[ToolCall], *, shown: int
) -> Memory:
    """With the summary that stood then: the stored one if it is that old, else the last one written before."""
    stored = ConversationMemory.objects.filter(pk=turn.conversation_id, updated_at__lte=moment).first()
    written: Json = {}
    if stored is not None:
        written = {"summary": stored.summary, "upto": stored.upto_seq, "facts": stored.facts}
    else:
        compressed = Step.objects.filter(turn__conversation=turn.conversation_id, kind=StepKind.COMPRESS.value)
        last = compressed.filter(status="ok", created_at__lt=moment).exclude(turn=turn).order_by("-created_at").first()
        written = last.output if last else {}
    told = [call for call in looked_up if call.status in TOLD and call.tool not in FORGOTTEN]
    return remembered(
        before,
        lambda _: told,
        summary=written.get("summary", ""),
        upto=written.get("upto", 0),
        facts=written.get("facts", ()),
        shown=shown,
    )


def _score(turn: Turn, steps: Sequence[Step], text: str, customer_id: UUID | None) -> float:
    """The help centre's fit as it must have been for the path the turn took; today's when it took none."""
    if turn.path == "fast":
        return 1.0 if any(step.output.get("reason") == "help centre" for step in steps) else 0.0
    return 0.0 if turn.path else article_score_of(text, readers_of(customer_by_id(customer_id)))


def _notice_recorded(steps: Sequence[Step]) -> str:
    """The server's facts word for word, as the first model call of the turn was given them."""
    for step in steps:
        if step.kind in (StepKind.PLAN, StepKind.MODEL_CALL) and step.model:
            told = [m["content"] for m in step.input.get("newest", []) if m.get("role") == "system"]
            if told and isinstance(told[-1], str) and told[-1].startswith("date: "):
                return _TOKENS_LEFT.split(told[-1])[0]
            return ""
    return ""


def _notice(turn: Turn, moment: datetime, status: str, is_verified: bool, said: int) -> str:
    """The same facts, told anew from what is known of that time."""
    conversation, customer = turn.conversation, turn.conversation.customer
    who = f"verified, signed in as {json.dumps(customer.email)}" if customer and is_verified else "not verified"
    lines = [
        f"date: {moment:%Y-%m-%d} ({moment:%A}), {moment:%H:%M} UTC",
        f"customer: {who}",
        f"a person answers: {hours.when(moment)}",
    ]
    if status == Conversation.Status.WAITING:
        lines.append("status: a person has been asked to take over; propose no changes meanwhile")
    lines += [f"action {action}: {tool}, state {state}" for action, tool, state in _actions_then(turn, moment)]
    if conversation.channel == Conversation.Channel.TASK:
        lines.append("background task: written by staff; nobody will reply")
    return "\n".join(filter(None, ["\n".join(lines), reminder(said)]))


def _actions_then(turn: Turn, moment: datetime) -> list[tuple[str, str, str]]:
    """The five newest actions of that time, oldest first, as their last event before it says."""
    told = Event.objects.filter(conversation=turn.conversation_id, type="action", created_at__lte=moment)
    states = {
        payload["action"]["id"]: payload["action"] for payload in told.order_by("seq").values_list("payload", flat=True)
    }
    actions = Action.objects.filter(conversation=turn.conversation_id, pk__in=states).order_by("-created_at")[:5]
    return [(str(one.pk), one.tool, states[str(one.pk)]["state"]) for one in reversed(actions)]
