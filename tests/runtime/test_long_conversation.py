"""A hundred turns: the prompt stays inside its window, what was written down is stored, and facts survive."""

from __future__ import annotations

from django.db import transaction

from support_agent.agent.memory import WINDOW, estimate
from support_agent.models import ConversationMemory, Step
from tests.fakes.replies import says
from tests.runtime.conftest import Rig
from tickets.db import in_db
from tickets.events import event_append
from tickets.models import Conversation, Message


def hundred_turns(conversation: Conversation) -> None:
    """Two hundred messages of about 150 tokens; the first names an order that nobody names again."""
    with transaction.atomic():
        for n in range(100):
            named = "My order is AP-100001, please keep that in mind. " if n == 0 else ""
            for role, text in (
                ("customer", named + f"Question {n}: " + "and so on " * 60),
                ("assistant", "Yes. " * 100),
            ):
                message = Message(conversation=conversation, role=role, text=text)
                event_append(conversation=conversation, type="message", message=message)


async def test_it_is_compressed_once_and_keeps_what_was_named(rig: Rig) -> None:
    conversation = await rig.begin(rig.cast.owner)
    await in_db(hundred_turns, conversation)
    rig.model.add(says("The customer asked a hundred questions about one order."), says("Hello."), says("Hello."))
    await rig.ask(conversation, "hi there")
    await rig.ask(conversation, "thanks")

    stored = await in_db(ConversationMemory.objects.get)
    assert stored.summary == "The customer asked a hundred questions about one order."
    assert "AP-100001" in stored.facts
    compressions = await in_db(lambda: list(Step.objects.filter(kind="compress")))
    assert len(compressions) == 1  # the second turn read what was stored
    assert compressions[0].cost_usd > 0
    for asked in rig.model.asked[1:]:
        words = "".join(block["text"] for m in asked["messages"] for block in m["content"] if isinstance(block, dict))
        assert estimate(words) < WINDOW
        assert "AP-100001" in words
    assert rig.api.refusals == []
