"""One call over its attempts: its clock, what was shown of it, what it has cost."""

from __future__ import annotations

import asyncio
import time

from support_agent.agent.types import Json, ModelFailure, ModelReply, ModelRequest, OnText, Spend
from support_agent.llm.assembly import Assembly
from support_agent.llm.failures import Fault


class Call:
    """Made when the call starts: its deadline is `request.timeout_s` from then, for all attempts together."""

    def __init__(self, body: Json, request: ModelRequest, on_text: OnText | None) -> None:
        self.body, self.request, self._on_text = body, request, on_text
        self._started = time.monotonic()
        self.deadline = self.now() + request.timeout_s
        self.message = Assembly(body["model"])
        self._spent_before = Spend()  # by earlier attempts
        self.attempts = 0
        self.ttft_ms: int | None = None
        self.text_shown = False

    @staticmethod
    def now() -> float:
        return asyncio.get_running_loop().time()

    def remaining_s(self) -> float:
        return self.deadline - self.now()

    def elapsed_ms(self) -> int:
        return round((time.monotonic() - self._started) * 1000)

    def begin_attempt(self) -> None:
        """Drop what the last attempt brought, but not what it cost."""
        self._spent_before = self.spend()
        self.message, self.ttft_ms = Assembly(self.body["model"]), None
        self.attempts += 1

    def spend(self) -> Spend:
        return self._spent_before + self.message.spend()

    async def show(self, text: str) -> None:
        if self._on_text is not None:
            self.text_shown = True
            await self._on_text(text)

    def reply(self) -> ModelReply:
        """The finished message; a refusal's partial content is not handed on."""
        refused = self.message.stop_reason == "refusal"
        return ModelReply(
            model=self.message.model,
            content=[] if refused else self.message.content,
            stop_reason=self.message.stop_reason or "",
            spend=self.spend(),
            duration_ms=self.elapsed_ms(),
            ttft_ms=self.ttft_ms,
        )

    def failure(self, fault: Fault) -> ModelFailure:
        return ModelFailure(
            fault.kind,
            fault.detail,
            model=self.message.model,
            spend=self.spend(),
            text_shown=self.text_shown,
            duration_ms=self.elapsed_ms(),
            attempts=self.attempts,
            retry_after_s=fault.retry_after_s,
        )
