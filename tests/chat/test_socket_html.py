"""`format=html`: the same events as htmx fragments, values as strings, one swap per thing shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from tests.cast import Cast
from tests.chat.conftest import Line, begin, said
from tickets.db import in_db
from tickets.models import Conversation, Feedback, Survey
from tickets.publishing import group_of, send_frames
from tickets.services.actions import action_propose
from tickets.services.conversations import conversation_close
from tickets.services.messages import message_assistant, message_post

Lines = Callable[..., Line]


async def opened(lines: Lines, conversation: Conversation, token: str) -> Line:
    line = lines(conversation.pk, token=token, origin=None, format="html")
    await line.open()
    assert 'hx-target="#live"' in await line.text()
    return line


async def push(conversation: Conversation, **frame: Any) -> None:
    await send_frames([(group_of(conversation.pk), {"type": "conversation.frame", "frame": frame})])


def targets(fragment: str) -> list[str]:
    return re.findall(r'hx-target="([^"]+)"', fragment)


async def test_a_message_is_appended_and_moves_the_cursor(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    line = await opened(lines, conversation, token)
    sent = said("<img src=x onerror=alert(1)> & co")
    await line.send(**sent)
    shown = sorted([await line.text(), await line.text()], key=len)
    assert f"#mark-{sent['client_message_id']}" in shown[0]
    assert {"#messages", "#cursor", f"#c-{sent['client_message_id']}"} <= set(targets(shown[1]))
    assert "&lt;img src=x" in shown[1]
    assert "<img" not in shown[1]
    assert 'data-seq="1"' in shown[1]


async def test_citations_lead_to_their_sources(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    line = await opened(lines, conversation, token)
    source = {"n": 1, "title": "Shipping “costs”", "url": "/help/shipping/"}
    text = "It costs 4.95 [1]. See [2]."
    await in_db(message_assistant, conversation=conversation, text=text, turn_id=uuid4(), sources=[source])
    fragment = await line.text()
    assert fragment.count('href="/help/shipping/"') == 2  # the mark in the text and the chip under it
    assert "[2]" in fragment
    assert "Assistant: It costs 4.95" in fragment.split("#spoken")[1]


async def test_text_grows_in_place_and_stops_at_a_hole(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    line = await opened(lines, conversation, token)
    ids = {"type": "delta", "turn_id": str(uuid4()), "message_id": str(uuid4())}
    await push(conversation, **ids, offset=0, text="A <b>")
    assert "A &lt;b&gt;" in await line.text()
    await push(conversation, **ids, offset=5, text=" c")
    assert targets(await line.text()) == [f"#d-{ids['message_id']}"]
    await push(conversation, **ids, offset=9, text="lost its neighbour")
    assert await line.silent()
    await push(conversation, type="retract", message_id=ids["message_id"])
    assert targets(await line.text()) == ["#live"]


async def test_a_card_is_replaced_by_its_outcome(people: Cast, lines: Lines) -> None:
    conversation, token = await begin(people.owner)
    line = await opened(lines, conversation, token)
    action = await in_db(
        action_propose,
        conversation=conversation,
        customer=people.owner,
        turn_id=uuid4(),
        tool="cancel_order",
        arguments={"order_number": "AP-100002", "reason": "ordered twice"},
        summary="Cancel order AP-100002",
        preview={},
        idempotency_key=str(uuid4()),
    )
    card = await line.text()
    found = re.search(r'name="token" value="([0-9a-f]+)"', card)
    assert found is not None
    assert "AP-100002" in card
    await line.send(type="confirm", action_id=action.pk, token=found[1], approve="true", headers={})
    outcome = await line.text()
    assert f"#action-{action.pk}" in targets(outcome)
    assert 'data-state="done"' in outcome
    assert 'name="token"' not in outcome
    await line.send(type="confirm", action_id=action.pk, token=found[1], approve="false")
    assert targets(await line.text()) == [f"#error-{action.pk}"]


async def test_forms_send_strings(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    await in_db(conversation_close, conversation=conversation)
    answer = await in_db(message_assistant, conversation=conversation, text="Hello.", turn_id=uuid4())
    line = await opened(lines, conversation, token)
    await line.send(type="survey", rating="4", comment="", headers={"HX-Request": "true"})
    while "Thank you for your answer" not in await line.text():
        pass
    assert (await in_db(Survey.objects.get)).rating == 4
    await line.send(type="feedback", message_id=answer.pk, helpful="false")
    assert targets(await line.text()) == [f"#feedback-{answer.pk}"]
    assert not (await in_db(Feedback.objects.get)).helpful


async def test_an_error_stands_at_its_message(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    line = await opened(lines, conversation, token)
    sent = said("x" * 5001)
    await line.send(**sent)
    fragment = await line.text()
    assert targets(fragment) == [f"#mark-{sent['client_message_id']}"]
    assert 'data-failed="too_long"' in fragment


async def test_two_windows_get_the_same_fragment(people: Cast, lines: Lines) -> None:
    conversation, token = await begin()
    both = [await opened(lines, conversation, token) for _ in range(2)]
    await in_db(message_post, conversation=conversation, client_message_id=uuid4(), text="Hi")
    assert len({await line.text() for line in both}) == 1
