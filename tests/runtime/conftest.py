"""A runner in the test's own loop, over a scripted model behind the strict fake of the Messages API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr

from support_agent.env import env
from support_agent.llm.client import ModelClient, build_client
from support_agent.models import Turn
from support_agent.runtime import eval_gate, eval_nightly, eval_runs
from support_agent.runtime.runner import Runner
from support_agent.runtime.submit import Submitted, submit_message
from tests.cast import Cast, make_cast
from tests.fakes.messages_api import FakeMessagesAPI
from tests.fakes.scripted import ScriptedModel
from tickets.access import Visitor
from tickets.db import in_db
from tickets.models import Conversation, Customer
from tickets.selectors.conversations import events_after
from tickets.services.conversations import conversation_create

Json = dict[str, Any]
ENDED = {Turn.State.ANSWERED, Turn.State.ESCALATED, Turn.State.FAILED}


def client_of(api: FakeMessagesAPI) -> ModelClient:
    """The real client, its transport replaced."""
    return build_client(
        api_key="test-key",
        small="claude-haiku-5-5",
        medium="claude-sonnet-5-5",
        large="claude-opus-5-5",
        transport=api.transport(),
    )


def begin(customer: Customer | None = None) -> Conversation:
    """A conversation of a signed-in customer, or of a stranger."""
    return conversation_create(channel="chat", customer=customer, identity="session" if customer else "")[0]


def post(conversation: Conversation, text: str) -> Submitted:
    return submit_message(conversation=conversation, visitor=Visitor(), client_message_id=uuid4(), text=text)


async def ended(turn: Turn, seconds: float = 15.0) -> Turn:
    """The turn, once it has ended."""
    async with asyncio.timeout(seconds):
        while True:
            found = await in_db(Turn.objects.get, pk=turn.pk)
            if found.state in ENDED:
                return found
            await asyncio.sleep(0.02)


@dataclass
class Rig:
    """`model` is the script, `api` what it was asked; `ask` posts a message and waits for its turn's end."""

    cast: Cast
    model: ScriptedModel
    api: FakeMessagesAPI
    runner: Runner

    async def ask(self, conversation: Conversation, text: str) -> Turn:
        submitted = await in_db(post, conversation, text)
        assert submitted.turn is not None
        return await ended(submitted.turn)

    async def begin(self, customer: Customer | None = None) -> Conversation:
        return await in_db(begin, customer)

    async def events(self, conversation: Conversation) -> list[Json]:
        return await in_db(events_after, conversation.pk, 0)

    async def answer(self, conversation: Conversation) -> Json:
        """The newest message of the assistant."""
        said = [e["message"] for e in await self.events(conversation) if e["type"] == "message"]
        return next(m for m in reversed(said) if m["role"] == "assistant")


@pytest.fixture
async def rig(transactional_db: None) -> AsyncIterator[Rig]:
    cast = await in_db(make_cast)
    model = ScriptedModel()
    api = FakeMessagesAPI(model)
    runner = Runner(model=client_of(api))
    running = asyncio.create_task(runner.run())
    yield Rig(cast, model, api, runner)
    runner.stop()
    await running


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if there were an API key, outside the demo."""
    real = env.model_copy(update={"anthropic_api_key": SecretStr("a-key"), "demo": False})
    for module in (eval_gate, eval_nightly, eval_runs):
        monkeypatch.setattr(module, "env", real)
