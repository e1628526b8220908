"""Calling a tool as the engine does: arguments as the model's JSON, validated, in the conversation's own context."""

from __future__ import annotations

import itertools
from typing import Any
from uuid import uuid4

import pytest

from support_agent.agent.toolkit import ToolContext
from support_agent.tools import ALL
from tests.cast import Cast
from tickets.ids import new_id
from tickets.models import Conversation, Customer
from tickets.services.conversations import conversation_create
from tickets.services.messages import message_post

Json = dict[str, Any]
_keys = itertools.count()


class Desk:
    """A conversation, verified or not, and the tools as the model would call them."""

    def __init__(self, customer: Customer | None) -> None:
        identity = "session" if customer else ""
        self.conversation, _ = conversation_create(channel="chat", customer=customer, identity=identity)
        self.customer = customer

    def call(self, tool: str, /, *, key: str = "", **arguments: Any) -> Json:
        chosen = ALL[tool]
        context = ToolContext(
            conversation_id=self.conversation.pk,
            turn_id=new_id(),
            customer_id=self.customer.pk if self.customer else None,
            locale="en",
            idempotency_key=key or f"call-{next(_keys)}",
        )
        return chosen.run(context, chosen.arguments.model_validate(arguments)).as_json()

    def writes(self, text: str) -> None:
        message_post(conversation=self.conversation, client_message_id=uuid4(), text=text)

    def reload(self) -> Conversation:
        self.conversation.refresh_from_db()
        return self.conversation


@pytest.fixture
def owner(cast: Cast) -> Desk:
    return Desk(cast.owner)


@pytest.fixture
def stranger(cast: Cast) -> Desk:
    return Desk(None)
