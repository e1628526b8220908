"""Recorded traffic: what is replayed is what was recorded, trouble included, without a network."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support_agent.agent.types import ModelRequest
from support_agent.evals.hiding import SHOP
from support_agent.llm.client import live_transport
from support_agent.llm.recorded import CassetteError, recording
from tests.fakes.replies import (
    Reply,
    calls,
    hangs,
    overloaded,
    plans,
    rate_limited,
    refuses,
    says,
    text,
    thinking,
    tool_use,
)
from tests.fakes.scripted import Line
from tests.fakes.server import PLAN, serving
from tests.llm.conftest import SEARCH, ask
from tests.llm.recordings import PLANNED, Client, api_of, on, read, replayed

SCRIPTS: dict[str, tuple[list[ModelRequest], list[Line]]] = {
    "words": ([ask()], [says("It is on its way, and will be there soon.", chunk_chars=3)]),
    "structured output": ([ask(**PLANNED)], [plans(PLAN)]),
    "thinking, words and tools": (
        [ask(tools=[SEARCH])],
        [Reply([thinking("Hm."), text("I look."), tool_use("search_knowledge_base", {"query": "straße"})])],
    ),
    "broken tool JSON": ([ask(tools=[SEARCH])], [calls("search_knowledge_base", '{"query": "half')]),
    "a refusal": ([ask()], [refuses("I had better not")]),
    "too many, then busy, then words": ([ask()], [rate_limited("2"), overloaded(), says("Here.")]),
    "a rejected call": ([ask()], [rate_limited("1"), lambda _: Reply(status=400, error="invalid_request_error")]),
    "a line cut before a word": ([ask()], [says("Hello there").ends("cut", after=2), says("Hello again")]),
    "a line cut after words": ([ask()], [says("Hello there. " * 9).ends("cut", after=6)]),
    "a clean early end": ([ask()], [says("Hello there").ends("closed", after=1), says("Hello again")]),
    "an error in the stream": ([ask()], [says("Hello there").ends("error", after=2), says("Hello again")]),
    "half a plan": ([ask(**PLANNED)], [plans(PLAN).ends("cut"), plans(PLAN)]),
    "no first word in time": ([ask()], [hangs(), says("Hello again")]),
    "no end in time": ([ask(timeout_s=0.6)], [hangs(after=4)]),
    "two calls": ([ask("One?"), ask("Two?")], [says("One."), says("Two.")]),
}


@pytest.mark.parametrize("name", SCRIPTS)
async def test_what_is_replayed_is_what_was_recorded(name: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    requests, lines = SCRIPTS[name]
    with on(path, *lines) as tape:
        first = Client(tape, first_token_s=0.3)
        before = await first.outcomes(requests)
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("the network was used"))
    with replayed(path) as tape:
        second = Client(tape, first_token_s=0.3)
        after = await second.outcomes(requests)
    assert [_plain(one) for one in after] == [_plain(one) for one in before]
    assert second.shown == first.shown
    assert len(second.pauses) == len(first.pauses)
    if "too many" in name:
        assert min(first.pauses[0], second.pauses[0]) >= 2  # retry-after is kept


def _plain(outcome: Any) -> Any:
    """Without signatures, which only the API can read, and of which the tape keeps a hash."""
    if isinstance(outcome[0], str):
        return outcome
    blocks = [{name: value for name, value in block.items() if name != "signature"} for block in outcome[0]]
    return (blocks, *outcome[1:])


async def test_the_same_over_a_real_socket(path: Path) -> None:
    api = api_of(says("Hello."), rate_limited("0"), says("Hello again."))
    async with serving(api) as base_url:
        with recording(path, live_transport(), hiding=SHOP) as tape:
            before = await Client(tape, base_url=base_url).outcomes([ask(), ask("And?")])
            await tape.aclose()
    with replayed(path) as tape:
        assert await Client(tape).outcomes([ask(), ask("And?")]) == before
    assert before[1][0] == [{"type": "text", "text": "Hello again."}]


async def test_a_recording_stays_when_nothing_is_said(path: Path) -> None:
    with on(path, says("Hello.")) as tape:
        await Client(tape).outcomes([ask()])
    before = read(path)
    with on(path):
        pass
    assert read(path) == before


async def test_a_line_that_nobody_answers(path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens there
        nowhere = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with recording(path, live_transport(), hiding=SHOP) as tape:
            before = await Client(tape, base_url=nowhere).outcomes([ask()])
            await tape.aclose()
    with replayed(path) as tape:
        assert await Client(tape).outcomes([ask()]) == before == [("connection", 3, False)]


async def test_a_thinking_block_goes_back_as_it_came(path: Path) -> None:
    use = tool_use("search_knowledge_base", {"query": "a"}, id="toolu_1")
    asked = ask(tools=[SEARCH])

    async def loop(tape: httpx2.AsyncBaseTransport) -> str:
        client = Client(tape)
        reply = await client.call(asked)
        result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": '{"status": "success"}'}
        messages = [
            *asked.messages,
            {"role": "assistant", "content": reply.content},
            {"role": "user", "content": [result]},
        ]
        return (await client.call(replace(asked, messages=messages))).text

    with on(path, Reply([thinking("Hm."), use]), says("Done.")) as tape:
        assert await loop(tape) == "Done."
    with replayed(path) as tape:
        assert await loop(tape) == "Done."
    assert "sig-" not in read(path)


async def test_a_retry_for_which_the_recording_had_no_time_meets_the_same_trouble(path: Path) -> None:
    with on(path, overloaded(), says("From the next model.")) as tape:
        await Client(tape, max_retries=0).outcomes([ask(), ask("Again?")])
    with replayed(path) as tape:
        first, second = await Client(tape, max_retries=2).outcomes([ask(), ask("Again?")])
    assert first == ("overloaded", 3, False)
    assert second[0] == [{"type": "text", "text": "From the next model."}]


@pytest.mark.parametrize(
    ("written", "says_what"),
    [
        (None, "cannot be read: No such file"),
        ("", "is no cassette: JSON Lines are expected"),
        ("hello", "is no cassette: JSON Lines are expected"),
        ('{"cassette": 99}', "is no cassette of format 1: record it anew"),
        ('{"cassette": 1, "recorded": "", "prompts": {}}\n{"request": {}}', "is damaged"),
    ],
)
def test_what_is_no_cassette_says_so(written: str | None, says_what: str, path: Path) -> None:
    if written is not None:
        path.write_text(written)
    with pytest.raises(CassetteError, match=says_what), replayed(path):
        pass
