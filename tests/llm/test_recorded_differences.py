"""Replays are strict: whatever differs from the recording is told, in words and once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support_agent.agent.types import ModelFailure
from support_agent.llm.recorded import Replaying
from tests.fakes.replies import says
from tests.llm.conftest import SEARCH, ask
from tests.llm.recordings import Client, difference, on

Json = dict[str, Any]
CHANGES: dict[str, tuple[Json, str]] = {
    "words": ({"text": "Where is my parcel?"}, 'messages.0.content: "Where is my order?" → "Where is my parcel?"'),
    "tokens": ({"max_tokens": 501}, "max_tokens: 500 → 501"),
    "prompt": ({"system": "You help nobody."}, "system prompt changed (prompt-"),
    "a tool more": ({"tools": [SEARCH]}, 'tools: nothing → ["search_knowledge_base '),
    "a message more": (
        {"messages": [*ask().messages, {"role": "system", "content": "date: today"}]},
        'messages.1: nothing → {"role": "system", "content": "date: today"}',
    ),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_any_difference_is_told(name: str, path: Path) -> None:
    with on(path, says("Hello.")) as tape:
        await Client(tape).call(ask())
    changes, line = CHANGES[name]

    async def call(tape: Replaying) -> None:
        with pytest.raises(ModelFailure, match="replay: this call was not recorded") as failure:
            await Client(tape).call(ask(**changes))
        assert failure.value.attempts == 1

    told = await difference(path, call)
    assert f"conversation, call 1:\n  {line}" in told
    assert told.endswith("record it anew and read the difference: make it anew")


async def test_a_changed_tool_is_named(path: Path) -> None:
    other = {**SEARCH, "name": "other"}
    with on(path, says("Hello.")) as tape:
        await Client(tape).call(ask(tools=[SEARCH, other]))
    changed = [{**SEARCH, "description": "Search."}, {**SEARCH, "name": "third"}]
    told = await difference(path, lambda tape: Client(tape).outcomes([ask(tools=changed)]))
    assert "tool search_knowledge_base changed (" in told
    assert "tool other is not offered any more\n  tool third is offered now" in told


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        (["Two?", "One?"], 'call 1:\n  messages.0.content: "One?" → "Two?"'),
        (["One?"], 'call 2:\n  recorded, but never asked for: user: "Two?"'),
        (["One?", "Two?", "Three?"], 'call 3:\n  only 2 calls were recorded; this is another: user: "Three?"'),
        (["One?", "One?"], 'call 2:\n  messages.0.content: "Two?" → "One?"'),
        ([], "call 1:\n  recorded, but the conversation never began"),
    ],
)
async def test_every_call_once_and_in_its_order(asked: list[str], line: str, path: Path) -> None:
    with on(path, says("One."), says("Two.")) as tape:
        await Client(tape).outcomes([ask("One?"), ask("Two?")])
    assert line in await difference(path, lambda tape: Client(tape).outcomes([ask(words) for words in asked]))


async def test_the_error_of_a_test_that_failed_for_it_names_the_difference(path: Path) -> None:
    with on(path, says("Hello.")) as tape:
        await Client(tape).call(ask())
    assert "max_tokens: 500 → 7" in await difference(path, lambda tape: Client(tape).call(ask(max_tokens=7)))
