"""The fake Messages API on a real loopback port, in this process or as one of its own.

    async with serving(api) as base_url: ...
    python -m tests.fakes.server --port 8899 [--responder package.module:name] [--key test-key]

As a process it also answers POST /_fake/script (a JSON list of Replies to say next, before the responder is asked) and
GET /_fake/stats ({"served", "refusals", "charged_usd"}).
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import inspect
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.fakes.messages_api import Cut, FakeMessagesAPI, Responder
from tests.fakes.normal import Json
from tests.fakes.replies import Reply, plans, says

PLAN: Json = {
    "goal": "answer the customer",
    "topic": "general",
    "subject": "technical",
    "in_scope": True,
    "complexity": "simple",
    "confidence": 0.9,
    "steps": [{"type": "answer", "priority": "required", "description": "answer"}],
    "is_complete": False,
}


def plain_model(body: Json) -> Reply:
    """Plans what it must and says one sentence."""
    return plans(PLAN) if (body.get("output_config") or {}).get("format") else says("How can I help you today?")


class Interrupted:
    """A responder that says what was scripted from outside first."""

    def __init__(self, responder: Responder) -> None:
        self._responder, self.script = responder, deque[Reply]()

    async def __call__(self, body: Json) -> Reply:
        if self.script:
            return self.script.popleft()
        said = self._responder(body)
        return await said if inspect.isawaitable(said) else said


def application(api: FakeMessagesAPI) -> web.Application:
    """`POST /v1/messages` and nothing else."""

    async def messages(request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = await api.answer(headers, await request.read())
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        await response.prepare(request)
        try:
            async for piece in answer.body:
                await response.write(piece)
        except Cut:
            if request.transport is not None:
                request.transport.abort()
            return response
        await response.write_eof()
        return response

    app = web.Application(client_max_size=32 * 2**20)
    app.router.add_post("/v1/messages", messages)
    return app


@asynccontextmanager
async def serving(api: FakeMessagesAPI, *, port: int = 0) -> AsyncIterator[str]:
    """Serve on the running loop; yields the base URL."""
    runner = web.AppRunner(application(api), shutdown_timeout=0.1)
    await runner.setup()
    try:
        yield await _listen(runner, port)
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, port: int) -> str:
    await web.TCPSite(runner, "127.0.0.1", port).start()
    host, bound = runner.addresses[0][:2]
    return f"http://{host}:{bound}"


def _controlled(api: FakeMessagesAPI, interrupted: Interrupted) -> web.Application:
    async def script(request: web.Request) -> web.Response:
        interrupted.script.extend(Reply(**reply) for reply in await request.json())
        return web.json_response({"waiting": len(interrupted.script)})

    async def stats(request: web.Request) -> web.Response:
        refusals = [refused.message for refused in api.refusals]
        return web.json_response({"served": len(api.served), "refusals": refusals, "charged_usd": str(api.charged_usd)})

    app = application(api)
    app.router.add_post("/_fake/script", script)
    app.router.add_get("/_fake/stats", stats)
    return app


def main() -> None:
    parser = argparse.ArgumentParser(description="A strict fake of the Messages API.")
    parser.add_argument("--port", type=int, default=8899)
    parser.add_argument("--key", default="test-key")
    parser.add_argument("--responder", default="tests.fakes.server:plain_model")
    options = parser.parse_args()
    module, _, name = options.responder.partition(":")
    found: Any = getattr(importlib.import_module(module), name)
    responder: Responder = found() if isinstance(found, type) else found
    interrupted = Interrupted(responder)
    api = FakeMessagesAPI(interrupted, api_key=options.key)
    asyncio.run(_serve_forever(_controlled(api, interrupted), options.port))


async def _serve_forever(app: web.Application, port: int) -> None:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    print(await _listen(runner, port), flush=True)  # noqa: T201 - the one line that says it is up
    await asyncio.Event().wait()


if __name__ == "__main__":
    main()
