"""Responders for the fake API: a queue of replies, or another transport's words behind the same strictness."""

from __future__ import annotations

from collections.abc import Callable

import httpx2

from support_agent.llm.demo.transport import DemoTransport
from tests.fakes.normal import Json
from tests.fakes.replies import Reply, fails

Line = Reply | Callable[[Json], Reply]


class ScriptedModel:
    """Answers with its lines in order; a line may be a function of the request. `asked` records what was sent."""

    def __init__(self, *lines: Line) -> None:
        self.lines = list(lines)
        self.asked: list[Json] = []

    def add(self, *lines: Line) -> None:
        self.lines.extend(lines)

    def __call__(self, body: Json) -> Reply:
        self.asked.append(body)
        if not self.lines:
            return fails(400, "invalid_request_error", "the script is at its end", x_should_retry="false")
        line = self.lines.pop(0)
        return line if isinstance(line, Reply) else line(body)


class TransportModel:
    """Another transport that speaks the Messages API (the demo model), asked without streaming."""

    def __init__(self, transport: httpx2.AsyncBaseTransport) -> None:
        self._transport = transport

    async def __call__(self, body: Json) -> Reply:
        request = httpx2.Request("POST", "https://model.test/v1/messages", json={**body, "stream": False})
        response = await self._transport.handle_async_request(request)
        message = httpx2.Response(response.status_code, content=await response.aread()).json()
        if response.status_code != 200:
            return fails(response.status_code, message["error"]["type"], message["error"]["message"])
        return Reply(message["content"], stop_reason=message["stop_reason"])


class DemoModel(TransportModel):
    """The built-in demo model, at once: `--responder tests.fakes.scripted:DemoModel`."""

    def __init__(self) -> None:
        super().__init__(DemoTransport(words_per_second=0))
