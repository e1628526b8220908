"""Recorded conversations: side by side, named or not, whole or not kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest
import structlog

from support_agent.llm.recorded import conversation
from tests.fakes.replies import Reply, says
from tests.llm.conftest import ask
from tests.llm.recordings import Client, difference, on, read, replayed

Json = dict[str, Any]


def both(body: Json) -> Reply:
    return says(f"You said: {body['messages'][-1]['content'][0]['text']}")


async def test_conversations_side_by_side(path: Path) -> None:
    """They begin with the same words, and end in another order than they were recorded in."""

    async def talk(client: Client, name: str, first_s: float) -> list[str]:
        with conversation(name):
            said = []
            for number, words in enumerate(["Hello", f"I am {name}", f"Bye from {name}"]):
                await asyncio.sleep(first_s if number == 1 else 0)
                said.append((await client.call(ask(words))).text)
            return said

    async def all_of(tape: httpx2.AsyncBaseTransport, names: Sequence[str]) -> list[list[str]]:
        client = Client(tape)
        return await asyncio.gather(*(talk(client, name, 0.02 * i) for i, name in enumerate(names)))

    names = ["ann", "ben", "ben", "cem"]
    with on(path, *[both] * 12) as tape:
        before = await all_of(tape, names)
    with replayed(path) as tape:
        assert list(reversed(await all_of(tape, names[::-1]))) == before
    left = await difference(path, lambda tape: all_of(tape, ["cem", "ann", "ben"]))
    assert "ben (run 2), call 1:\n  recorded, but the conversation never began" in left
    more = await difference(path, lambda tape: all_of(tape, [*names, "dan"]))
    assert "dan, call 1:\n  nothing was recorded for it" in more


async def test_conversations_that_only_the_logs_name(path: Path) -> None:
    async def talk(client: Client, words: str) -> list[str]:
        with structlog.contextvars.bound_contextvars(conversation_id=words):
            return [(await client.call(ask(text))).text for text in (words, "and then?")]

    with on(path, *[both] * 4) as tape:
        client = Client(tape)
        before = [await talk(client, "A"), await talk(client, "B")]
    with replayed(path) as tape:
        client = Client(tape)
        assert list(await asyncio.gather(talk(client, "B"), talk(client, "A"))) == before[::-1]


async def test_the_same_change_in_many_conversations_is_told_once(path: Path) -> None:
    async def talk(tape: httpx2.AsyncBaseTransport, **changes: Any) -> None:
        for name in "abc":
            with conversation(name):
                await Client(tape).outcomes([ask(**changes)])

    with on(path, *[says("Hello.")] * 3) as tape:
        await talk(tape)
    told = await difference(path, lambda tape: talk(tape, system="Another."))
    assert "a, call 1 and 2 more:" in told
    assert told.count("system prompt changed") == 1


async def test_a_conversation_that_broke_off_is_not_kept(path: Path) -> None:
    async def run() -> None:
        with on(path, says("One."), says("Two.")) as tape:
            for name in ("whole", "broken"):
                with conversation(name):
                    await Client(tape).call(ask())
                    assert name == "whole"

    with pytest.raises(AssertionError):
        await run()
    head, *lines = map(json.loads, read(path).splitlines())
    assert (head["conversations"], head["calls"], head["models"]) == (1, 1, ["claude-sonnet-5-5"])
    assert [line["conversation"] for line in lines if "conversation" in line] == ["whole"]
