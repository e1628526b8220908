"""Drafts of a careful start as staff would have used them: invented beside replies the demo's staff wrote."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from support_agent.agent.config import LIMITS
from support_agent.demo.story import Exchange
from support_agent.demo.traces import Tracer, tokens_of
from support_agent.models import Draft, Spend, Task
from support_agent.runtime.budgets import totals_of
from support_agent.runtime.likeness import likeness
from support_agent.runtime.modes import surface_of
from tickets.demo.world import World
from tickets.markdown import render
from tickets.models import Conversation, Event, Message
from tickets.services.messages import ASSISTANT_NAME

MODEL = "demo (invented)"
DAYS = 30
GUESSED = "Thank you for writing to us. This is usually settled within a few days; please look at your account page."
CHANGED = Draft.Outcome.CHANGED
OUTCOMES: dict[str, float] = {"sent": 52, "nearly": 28, "changed": 8, "ignored": 5, "discarded": 7}
WHYS: dict[Draft.Why, float] = {Draft.Why.FACTS: 4, Draft.Why.TONE: 2, Draft.Why.NOT_NEEDED: 3, Draft.Why.OTHER: 1}


def seed_drafts(world: World) -> None:
    """One for each reply of staff in the last 30 days that answered a customer's words."""
    asked: dict[object, Message] = {}
    for message in sorted(world.rows[Message], key=lambda one: (one.created_at, one.seq)):
        before = asked.get(message.conversation_id)
        if message.role == Message.Role.CUSTOMER:
            asked[message.conversation_id] = message
        elif message.role == Message.Role.STAFF and before and message.created_at > world.ago(days=DAYS):
            _draft(world, message, before)
            del asked[message.conversation_id]


def _draft(world: World, reply: Message, before: Message) -> None:
    about, at = reply.conversation, before.created_at + timedelta(seconds=1)
    outcome = world.weighted(OUTCOMES)
    text = {"sent": reply.text, "nearly": f"Hello, {reply.text}"}.get(outcome, GUESSED)
    own = world.add(Conversation, at, channel=Conversation.Channel.TASK, customer=about.customer, locale=about.locale)
    asked = _say(world, own, Message.Role.CUSTOMER, before.text, at, client_message_id=world.id_at(at))
    exchange = Exchange(before.text, text, topic=about.topic, complexity="medium")
    turn = Tracer(world).turn(own, exchange, asked, tokens_of(before.text))
    asked.turn_id, at = turn.pk, turn.finished_at or at
    turn.message_id = _say(world, own, Message.Role.ASSISTANT, text, at, turn_id=turn.pk, author=ASSISTANT_NAME).pk
    _event(world, own, at, "turn", {"turn_id": str(turn.pk), "state": str(turn.state)})
    surface = surface_of(about)
    task = world.add(
        Task, at, purpose=Task.Purpose.ANSWER, about=about, customer=about.customer, task=before.text,
        budget_usd=LIMITS[surface].turn, state=Task.State.DONE, turn=turn, result=text,
    )  # fmt: skip
    draft = world.add(
        Draft, at, task=task, surface=surface.value, language="en", upto_seq=before.seq, model=MODEL,
        subject=exchange.subject, settled_at=reply.created_at, settled_by=reply.staff,
    )  # fmt: skip
    if outcome == "discarded":
        draft.outcome, draft.why = Draft.Outcome.DISCARDED, world.weighted(WHYS)
    else:
        same = likeness(text, reply.text)
        draft.outcome = {"sent": Draft.Outcome.SENT, "ignored": Draft.Outcome.IGNORED}.get(outcome, CHANGED)
        draft.sent, draft.similarity, draft.words_changed = reply, same.similarity, same.words_changed
    for total in totals_of(about, surface, LIMITS[surface], at):
        _count(world, (total.scope, total.key, total.period), turn.cost_usd)


def _say(world: World, own: Conversation, role: str, text: str, at: datetime, **fields: Any) -> Message:
    own.last_message_at = at
    message = world.add(
        Message, at, conversation=own, seq=own.last_seq + 1, role=role, text=text, html=render(text), **fields
    )
    _event(world, own, at, "message", {}, message)
    return message


def _event(
    world: World, own: Conversation, at: datetime, kind: str, payload: dict[str, Any], message: Message | None = None
) -> None:
    own.last_seq += 1
    event = Event(conversation=own, seq=own.last_seq, type=kind, payload=payload, message=message, created_at=at)
    world.keep(event)


def _count(world: World, total: tuple[str, str, str], usd: Decimal) -> None:
    """Towards the customer's limits and the system's hour, as live drafts do."""
    known = next((row for row in world.rows[Spend] if (row.scope, row.key, row.period) == total), None)
    scope, key, period = total
    row = known or world.keep(Spend(scope=scope, key=key, period=period, spent_usd=Decimal(0)))
    row.spent_usd += usd
