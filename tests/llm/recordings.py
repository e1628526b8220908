"""A client on a recording transport, or on what was recorded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support_agent.agent.types import ModelFailure, ModelReply, ModelRequest, OnText
from support_agent.evals.hiding import SHOP
from support_agent.llm.client import ModelClient, ModelConfig
from support_agent.llm.recorded import ReplayError, Replaying, recording, replaying
from tests.fakes.messages_api import FakeMessagesAPI
from tests.fakes.scripted import Line, ScriptedModel
from tests.llm.conftest import MODELS

KEY = "sk-ant-canary-5up3r-s3cr3t-k3y"
PLANNED: dict[str, Any] = {"output_schema": {"type": "object", "title": "Plan", "properties": {}}}


class Client:
    """A client on a tape; `pauses` are the seconds it would have slept, `shown` what streamed."""

    def __init__(self, transport: httpx2.AsyncBaseTransport, **config: Any) -> None:
        self.pauses: list[float] = []
        self.shown: list[str] = []
        settings = ModelConfig(models=MODELS, api_key=KEY)
        self._client = ModelClient(replace(settings, **config), transport, sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def call(self, request: ModelRequest, on_text: OnText | None = None) -> ModelReply:
        return await self._client.call(request, on_text or self._show)

    async def _show(self, words: str) -> None:
        self.shown.append(words)

    async def outcomes(self, requests: Sequence[ModelRequest]) -> list[Any]:
        """What came of each: (content, stop reason, usage) or (kind of failure, attempts, whether text was shown)."""
        found: list[Any] = []
        for request in requests:
            try:
                reply = await self.call(request)
                found.append((reply.content, reply.stop_reason, reply.spend))
            except ModelFailure as failure:
                found.append((failure.kind, failure.attempts, failure.text_shown))
        return found


def api_of(*lines: Line) -> FakeMessagesAPI:
    return FakeMessagesAPI(ScriptedModel(*lines), api_key=KEY)


def on(path: Path, *lines: Line) -> AbstractContextManager[httpx2.AsyncBaseTransport]:
    return recording(path, api_of(*lines).transport(), hiding=SHOP, about={"renew": "make it anew"})


def replayed(path: Path) -> AbstractContextManager[Replaying]:
    return replaying(path, hiding=SHOP)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


async def difference(path: Path, work: Callable[[Replaying], Awaitable[object]]) -> str:
    """What the replay of `work` complains about."""
    with pytest.raises(ReplayError) as error:
        await _replay(path, work)
    return str(error.value)


async def _replay(path: Path, work: Callable[[Replaying], Awaitable[object]]) -> None:
    with replayed(path) as tape:
        await work(tape)
