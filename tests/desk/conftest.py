"""A verified conversation of the owner, and short ways to propose and click in it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.cast import Cast
from tests.desk.waiting import Clock
from tickets.models import Action, Conversation, Customer
from tickets.services.actions import action_decide, action_propose, action_token
from tickets.services.conversations import conversation_create

_keys = itertools.count()


class Talk:
    """One conversation and its customer's clicks."""

    def __init__(self, customer: Customer) -> None:
        self.customer = customer
        self.conversation, _ = conversation_create(channel="chat", customer=customer, identity="session")

    def propose(self, tool: str, /, *, key: str = "", **arguments: Any) -> Action:
        return action_propose(
            conversation=self.conversation,
            customer=self.customer,
            turn_id=None,
            tool=tool,
            arguments=arguments,
            summary=f"{tool} for a test",
            preview={},
            idempotency_key=key or f"key-{next(_keys)}",
        )

    def token(self, action: Action, **altered: Any) -> str:
        bound = {
            "action_id": action.pk,
            "conversation_id": action.conversation_id,
            "customer_id": action.customer_id,
            "tool": action.tool,
            "arguments": action.arguments,
            "expires_at": action.expires_at,
        }
        return action_token(**{**bound, **altered})

    def click(self, action: Action, *, approve: bool = True, token: str = "") -> Action:
        return action_decide(
            conversation=self.conversation, action_id=action.pk, token=token or self.token(action), approve=approve
        )

    def do(self, tool: str, /, **arguments: Any) -> Action:
        return self.click(self.propose(tool, **arguments))

    def states(self) -> list[str]:
        """The states of the action events so far, in order."""
        events = Conversation.objects.get(pk=self.conversation.pk).events.filter(type="action").order_by("seq")
        return [event.payload["action"]["state"] for event in events]


@pytest.fixture
def talk(cast: Cast) -> Talk:
    return Talk(cast.owner)


@pytest.fixture
def clock(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)
