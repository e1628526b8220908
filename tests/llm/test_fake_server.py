"""The fake as a process of its own, as fault suites and benchmarks use it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from support_agent.agent.types import ModelFailure, Tier
from support_agent.llm.client import build_client
from tests.fakes.server import PLAN
from tests.llm.conftest import ask

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def base_url() -> AsyncIterator[str]:
    arguments = ["-m", "tests.fakes.server", "--port", "0", "--key", "secret"]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    yield (await process.stdout.readline()).decode().strip()
    process.kill()
    await process.wait()


async def test_it_answers_plans_fails_on_demand_and_counts(base_url: str) -> None:
    client = build_client(
        api_key="secret",
        base_url=base_url,
        small="claude-haiku-5-5",
        medium="claude-sonnet-5-5",
        large="claude-opus-5-5",
        max_retries=0,
    )
    schema = {"type": "object", "properties": {"goal": {"type": "string"}}}
    plan = await client.call(ask(tier=Tier.SMALL, output_schema=schema))
    assert PLAN["goal"] in plan.text
    assert (await client.call(ask())).text.startswith("How can I help")
    with pytest.raises(ModelFailure, match="prefill"):
        await client.call(ask(messages=[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]))
    async with httpx2.AsyncClient(base_url=base_url) as control:
        await control.post("/_fake/script", json=[{"status": 529}])
        with pytest.raises(ModelFailure, match="529 overloaded_error"):
            await client.call(ask())
        stats = (await control.get("/_fake/stats")).json()
    await client.aclose()
    assert stats["served"] == 3
    assert len(stats["refusals"]) == 1
    assert float(stats["charged_usd"]) > 0


async def test_fifty_conversations_at_once_have_no_request_refused(base_url: str) -> None:
    client = build_client(
        api_key="secret",
        base_url=base_url,
        small="claude-haiku-5-5",
        medium="claude-sonnet-5-5",
        large="claude-opus-5-5",
    )

    async def conversation(number: int) -> None:
        messages = [{"role": "user", "content": f"I am customer {number}."}]
        for turn in range(4):
            reply = await client.call(ask(messages=[*messages, {"role": "system", "content": f"turn: {turn}"}]))
            messages += [{"role": "assistant", "content": reply.text}, {"role": "user", "content": "And then?"}]

    await asyncio.gather(*(conversation(number) for number in range(50)))
    async with httpx2.AsyncClient(base_url=base_url) as control:
        stats = (await control.get("/_fake/stats")).json()
    await client.aclose()
    assert (stats["served"], stats["refusals"]) == (200, [])
