"""The model client in front of the fake API, in the process and over a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support_agent.agent.types import Json, ModelRequest, Tier
from support_agent.llm.client import ModelClient, ModelConfig
from tests.fakes.messages_api import FakeMessagesAPI
from tests.fakes.scripted import Line, ScriptedModel
from tests.fakes.server import serving

MODELS = {Tier.SMALL: "claude-haiku-5-5", Tier.MEDIUM: "claude-sonnet-5-5", Tier.LARGE: "claude-opus-5-5"}
SEARCH: Json = {
    "name": "search_knowledge_base",
    "description": "Search the help centre.",
    "input_schema": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
}


class Rig:
    """One client and the fake it talks to; `pauses` are the seconds it would have slept, `shown` what streamed."""

    def __init__(self, client: ModelClient, api: FakeMessagesAPI, model: ScriptedModel, pauses: list[float]) -> None:
        self.client, self.api, self.model, self.pauses = client, api, model, pauses
        self.shown: list[str] = []

    async def show(self, text: str) -> None:
        self.shown.append(text)


MakeRig = Callable[..., Rig]
MakeWiredRig = Callable[..., Awaitable[Rig]]


@pytest.fixture
async def rig() -> AsyncIterator[MakeRig]:
    """`rig(*lines, **config)`: a client on the in-process transport."""
    async with AsyncExitStack() as stack:

        def make(*lines: Line, **config: Any) -> Rig:
            model = ScriptedModel(*lines)
            api = FakeMessagesAPI(model)
            pauses: list[float] = []

            async def sleep(seconds: float) -> None:
                pauses.append(seconds)

            settings = replace(ModelConfig(models=MODELS, api_key=api.api_key), **config)
            client = ModelClient(settings, api.transport(), sleep=sleep)
            stack.push_async_callback(client.aclose)
            return Rig(client, api, model, pauses)

        yield make


@pytest.fixture
async def wired() -> AsyncIterator[MakeWiredRig]:
    """`await wired(*lines, **config)`: the same over a real socket, on the SDK's aiohttp client."""
    async with AsyncExitStack() as stack:

        async def make(*lines: Line, **config: Any) -> Rig:
            model = ScriptedModel(*lines)
            api = FakeMessagesAPI(model)
            base_url = await stack.enter_async_context(serving(api))
            pauses: list[float] = []

            async def sleep(seconds: float) -> None:
                pauses.append(seconds)

            settings = ModelConfig(models=MODELS, api_key=api.api_key, base_url=base_url)
            client = ModelClient(replace(settings, **config), sleep=sleep)
            stack.push_async_callback(client.aclose)
            return Rig(client, api, model, pauses)

        yield make


def ask(text: str = "Where is my order?", **fields: Any) -> ModelRequest:
    """A request with one question."""
    given: dict[str, Any] = {
        "tier": Tier.MEDIUM,
        "system": "You help customers of a shop.",
        "messages": [{"role": "user", "content": text}],
        "max_tokens": 500,
        "timeout_s": 5.0,
        "lasting": 1,
        **fields,
    }
    return ModelRequest(**given)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a recording is kept."""
    return tmp_path / "calls.jsonl"
