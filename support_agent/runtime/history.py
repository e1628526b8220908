"""What a turn starts from: the conversation so far, the facts only the server may state, and earlier evidence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from support_agent.agent.types import Surface, TurnInput
from support_agent.models import ToolCall, Turn
from tickets import hours
from tickets.models import Action, Conversation, Message
from tickets.selectors.conversations import spoken

Json = dict[str, Any]
MAX_MESSAGES = 60
MAX_CHARS = 60_000  # about 20k tokens: well inside the memory window
MAX_EVIDENCE = 40
_CITATION = re.compile(r"\s?\[\d{1,2}\]")


def turn_input(turn: Turn) -> TurnInput:
    """Read everything one turn needs, in few queries."""
    conversation = turn.conversation
    messages = spoken(conversation.pk, limit=MAX_MESSAGES)
    asked = [m for m in messages if m.turn_id == turn.pk and m.role == Message.Role.CUSTOMER]
    first = asked[0].seq if asked else 0
    before = [m for m in messages if m.seq < first]
    task = conversation.channel == Conversation.Channel.TASK
    return TurnInput(
        turn_id=turn.pk,
        conversation_id=conversation.pk,
        surface=Surface(turn.surface),
        verified=conversation.customer_id is not None,
        locale=conversation.locale,
        text="\n\n".join(filter(None, map(as_written, asked))) or "(an empty message)",
        history=as_dialogue(before),
        notice=notice_for(conversation),
        evidence=[*_earlier_results(conversation), *(m.text for m in before if m.role == Message.Role.STAFF)],
        mutations_allowed=conversation.status == Conversation.Status.AI and not task,
    )


def as_dialogue(messages: Iterable[Message]) -> list[Json]:
    """Alternating user and assistant texts, beginning with the customer. Old citation numbers mean nothing any more."""
    dialogue: list[Json] = []
    for message in messages:
        if message.role == Message.Role.CUSTOMER:
            role, text = "user", as_written(message)
        elif message.role == Message.Role.STAFF:
            role, text = "assistant", f"({message.author}, our team, wrote:) {message.text}"
        else:
            role, text = "assistant", _CITATION.sub("", message.text)
        if not text.strip():
            continue
        if dialogue and dialogue[-1]["role"] == role:
            dialogue[-1]["content"] += f"\n\n{text}"
        else:
            dialogue.append({"role": role, "content": text})
    return _within(dialogue)


def as_written(message: Message) -> str:
    """A customer's message as the model reads it; it is told of images, it does not see them."""
    images = [f"(attached image: {attachment['name']})" for attachment in message.attachments]
    return "\n".join(filter(None, [message.text, *images]))


def notice_for(conversation: Conversation) -> str:
    """Server-written facts, one a line. Nothing in here was typed freely by a customer."""
    now = timezone.now()
    customer = conversation.customer
    who = f"verified, signed in as {json.dumps(customer.email)}" if customer else "not verified"
    lines = [
        f"today: {now:%Y-%m-%d} ({now:%A}), {now:%H:%M} UTC",
        f"customer: {who}",
        f"a person answers: {hours.when(now)}",
    ]
    if conversation.status == Conversation.Status.WAITING:
        lines.append("status: a person has been asked to take over; propose no changes meanwhile")
    actions = Action.objects.filter(conversation=conversation).order_by("-created_at")[:5]
    lines += [f"action {action.pk}: {action.tool}, state {action.state}" for action in reversed(actions)]
    if conversation.channel == Conversation.Channel.TASK:
        complexity = conversation.metadata.get("complexity", "medium")
        lines.append(f"background task: written by staff, who gave its complexity as {complexity}; nobody will reply")
    if instruction := conversation.metadata.get("instruction"):
        lines.append(f"staff instruction: {json.dumps(instruction)}")
    return "\n".join(lines)


def _earlier_results(conversation: Conversation) -> list[str]:
    rows = ToolCall.objects.filter(conversation=conversation).order_by("-created_at")
    return [json.dumps(result, default=str) for result in rows.values_list("result", flat=True)[:MAX_EVIDENCE]]


def _within(dialogue: list[Json]) -> list[Json]:
    """The newest part that fits, still beginning with the customer."""
    total, start = 0, len(dialogue)
    while start > 0 and total + len(dialogue[start - 1]["content"]) <= MAX_CHARS:
        start -= 1
        total += len(dialogue[start]["content"])
    while start < len(dialogue) and dialogue[start]["role"] != "user":
        start += 1
    return dialogue[start:]
