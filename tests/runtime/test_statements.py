"""What a turn asks of the database: few statements, and not more of them as its conversation grows."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from support_agent.runtime.submit import submit_message
from tests.fakes.replies import calls, says
from tests.runtime.conftest import Rig
from tickets.access import Visitor
from tickets.db import in_db
from tickets.models import Conversation

MOST = 40
"""Of a turn with one tool call, from the message to the answer; it was 130 before they were written out."""
OF_THE_CLOCK = ("support_agent_heartbeat", "lease_until", "pg_locks", "tickets_workspace", "lease")


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement of this process, the ORM's and ours alike."""
    found: list[str] = []
    execute = psycopg.Cursor.execute

    def counting(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        found.append(query.decode() if isinstance(query, bytes) else str(query))
        return execute(self, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.Cursor, "execute", counting)
    return found


async def asked_for(rig: Rig, conversation: Conversation, statements: list[str]) -> list[str]:
    """The statements of one more turn, without what runs by the clock."""
    rig.model.add(calls("lookup_order", {"order_number": "AP-100001"}), says("It is with you, as far as we can see."))
    before = len(statements)
    await rig.ask(conversation, "Where is my order AP-100001?")
    await in_db(lambda: None)  # what the turn's end still writes
    polled = 'SELECT "support_agent_turn"."id"'  # the test's own waiting
    return [one for one in statements[before:] if not any(word in one for word in (*OF_THE_CLOCK, polled))]


async def test_a_turn_takes_few_and_a_long_conversation_no_more(rig: Rig, statements: list[str]) -> None:
    conversation = await rig.begin(rig.cast.owner)
    await asked_for(rig, conversation, statements)
    second = await asked_for(rig, conversation, statements)
    assert len(second) <= MOST, "\n".join(one.strip()[:120] for one in second)
    for _ in range(4):
        await asked_for(rig, conversation, statements)
    seventh = await asked_for(rig, conversation, statements)
    assert len(seventh) <= len(second) + 2  # a look of its own at what staff allow


async def test_a_message_that_is_sent_again_takes_no_more_than_a_look(rig: Rig, statements: list[str]) -> None:
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(says("Hello. What can I do for you?"))
    await rig.ask(conversation, "Hello")
    known = await in_db(conversation.messages.first)
    assert known is not None
    del statements[:]
    await in_db(again, conversation, known.client_message_id)
    assert not [one for one in statements if "INSERT" in one]


def again(conversation: Conversation, client_message_id: Any) -> None:
    submit_message(conversation=conversation, visitor=Visitor(), client_message_id=client_message_id, text="Hello")
