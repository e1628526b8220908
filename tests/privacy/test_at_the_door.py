"""A card number or key typed into any form: in no table, not in what the model gets, and the customer is told."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import uuid4

import pytest

from support_agent.agent.types import ToolUse
from support_agent.models import ToolCall, Turn
from support_agent.runtime.history import turn_input
from support_agent.runtime.submit import submit_message
from support_agent.runtime.toolbox import Toolbox
from support_agent.tools import ALL
from tests.cast import Cast
from tests.privacy.planting import places_of
from tickets.access import Visitor
from tickets.models import Conversation, Message, Order
from tickets.services.conversations import conversation_create, conversation_hand_back
from tickets.services.escalations import escalation_open
from tickets.services.notes import note_add
from tickets.services.surveys import survey_answer
from tickets.services.tickets import ticket_create

pytestmark = pytest.mark.django_db
CARD, KEY = "4111 1111 1111 1111", "sk-ant-api03-0123456789abcdef"
TYPED = f"I pay with {CARD}, key {KEY}."
KEPT = "I pay with [card], key [redacted]."


@pytest.fixture
def talk(cast: Cast) -> Conversation:
    found, _ = conversation_create(channel="chat", customer=cast.owner, identity="session", metadata={"note": TYPED})
    return found


def say(talk: Conversation, text: str, key: Any = None) -> Any:
    return submit_message(conversation=talk, visitor=Visitor(), client_message_id=key or uuid4(), text=text)


def test_a_message_is_kept_without_it_and_says_so_once(talk: Conversation) -> None:
    key = uuid4()
    first, again = say(talk, TYPED, key), say(talk, TYPED, key)
    assert (first.message.text, first.created, again.created) == (KEPT, True, False)
    texts = list(Message.objects.filter(conversation=talk).order_by("seq").values_list("role", "text"))
    assert [role for role, _ in texts] == ["customer", "system"]
    assert "hid" in texts[1][1]
    assert first.turn is not None
    assert "1111" not in str(asdict(turn_input(first.turn)))
    say(talk, "And my order AP-100001?")
    assert Message.objects.filter(conversation=talk, role="system").count() == 1


def test_every_other_form_too(talk: Conversation, cast: Cast) -> None:
    say(talk, TYPED)
    survey_answer(conversation=talk, rating=4, comment=TYPED)
    ticket_create(subject=TYPED, body=TYPED, category="billing", contact_email="a@example.com")
    note_add(conversation_id=talk.pk, author=cast.agent, text=TYPED)
    escalation_open(conversation=talk, reason="asked", summary=TYPED)
    Conversation.objects.filter(pk=talk.pk).update(status="human", assignee=cast.agent)
    conversation_hand_back(conversation=talk, staff=cast.agent, instruction=TYPED)
    assert places_of(CARD, KEY) == []


async def _call(toolbox: Toolbox, number: str) -> Any:
    use = ToolUse("toolu_1", "lookup_order", {"order_number": number})
    return await toolbox.call(use, ["lookup_order"])


@pytest.mark.django_db(transaction=True)
async def test_what_a_record_holds_does_not_reach_the_model() -> None:
    from tests.cast import make_cast
    from tickets.db import in_db

    def made() -> tuple[Turn, str]:
        cast = make_cast()
        Order.objects.filter(pk=cast.delivered.pk).update(note=TYPED, shipping_address=f"{TYPED}\nPortland")
        talk, _ = conversation_create(channel="chat", customer=cast.owner, identity="session")
        return Turn.objects.create(conversation=talk, surface="signed_in", state="running", attempt=1), "AP-100001"

    turn, number = await in_db(made)
    result = await _call(Toolbox(ALL, turn), number)
    assert result["status"] == "success"
    assert "AP-100001" in str(result)
    assert "1111" not in str(result)
    assert "1111" not in str(await in_db(ToolCall.objects.values_list("result", flat=True).get))
