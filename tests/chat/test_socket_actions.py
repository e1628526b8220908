"""A proposal's token reaches its owner's socket and nothing else; the click on it acts once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from tests.cast import Cast
from tests.chat.conftest import Line, begin
from tickets.db import in_db
from tickets.models import Action, Conversation, Event, Order
from tickets.services.actions import action_propose

Json = dict[str, Any]
Lines = Callable[..., Line]


async def propose(people: Cast, conversation: Conversation) -> Action:
    return await in_db(
        action_propose,
        conversation=conversation,
        customer=people.owner,
        turn_id=uuid4(),
        tool="cancel_order",
        arguments={"order_number": people.paid.order_number, "reason": "ordered twice"},
        summary="Cancel order AP-100002",
        preview={},
        idempotency_key=str(uuid4()),
    )


async def proposed(people: Cast, lines: Lines) -> tuple[Line, Json]:
    """An open socket of the owner, and the proposal as it came."""
    conversation, token = await begin(people.owner)
    line = lines(conversation.pk, token=token, origin=None)
    await line.open()
    await line.until("ready")
    await propose(people, conversation)
    return line, (await line.until("action"))["action"]


async def test_a_click_with_the_token_executes_once(people: Cast, lines: Lines) -> None:
    line, action = await proposed(people, lines)
    assert action["state"] == "proposed"
    click = {"type": "confirm", "action_id": action["id"], "token": action["token"], "approve": True}
    await line.send(**click)
    done = (await line.until("action"))["action"]
    assert done["state"] == "done"
    assert "token" not in done
    await line.send(**click)
    assert await line.silent()
    order = await in_db(Order.objects.get, pk=people.paid.pk)
    assert order.status == Order.Status.CANCELLED
    await line.send(type="undo", action_id=action["id"])
    assert (await line.until("action"))["action"]["state"] == "undone"


async def test_a_wrong_token_does_nothing(people: Cast, lines: Lines) -> None:
    line, action = await proposed(people, lines)
    await line.send(type="confirm", action_id=action["id"], token="0" * 64, approve=True)
    assert (await line.frame())["code"] == "not_found"
    order = await in_db(Order.objects.get, pk=people.paid.pk)
    assert order.status == Order.Status.PAID


async def test_declining_changes_nothing(people: Cast, lines: Lines) -> None:
    line, action = await proposed(people, lines)
    await line.send(type="confirm", action_id=action["id"], token=action["token"], approve=False)
    assert (await line.until("action"))["action"]["state"] == "declined"


async def test_the_token_is_never_stored(people: Cast, lines: Lines) -> None:
    _, action = await proposed(people, lines)
    stored = await in_db(lambda: [str(event.payload) for event in Event.objects.filter(type="action")])
    assert stored
    assert not any(action["token"] in payload for payload in stored)


async def test_a_replay_brings_the_same_token(people: Cast, lines: Lines) -> None:
    conversation, token = await begin(people.owner)
    await propose(people, conversation)
    tokens = set()
    for _ in range(2):
        line = lines(conversation.pk, token=token, origin=None)
        await line.open()
        tokens.add((await line.until("action"))["action"]["token"])
    assert len(tokens) == 1
