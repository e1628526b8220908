"""Recorded traffic: kept once with nobody in it, replayed strictly and without a network."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
import structlog

from support_agent.agent.types import ModelFailure, ModelReply, ModelRequest, OnText
from support_agent.evals.hiding import SHOP
from support_agent.llm.client import ModelClient, ModelConfig, live_transport
from support_agent.llm.recorded import (
    CassetteError,
    ReplayError,
    Replaying,
    conversation,
    know,
    recording,
    replaying,
)
from tests.fakes.messages_api import FakeMessagesAPI
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
from tests.fakes.scripted import Line, ScriptedModel
from tests.fakes.server import PLAN, serving
from tests.llm.conftest import MODELS, SEARCH, ask

Json = dict[str, Any]
KEY = "sk-ant-canary-5up3r-s3cr3t-k3y"


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


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "calls.jsonl"


PLANNED: dict[str, Any] = {"output_schema": {"type": "object", "title": "Plan", "properties": {}}}
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


async def test_a_retry_for_which_the_recording_had_no_time_meets_the_same_trouble(path: Path) -> None:
    with on(path, overloaded(), says("From the next model.")) as tape:
        await Client(tape, max_retries=0).outcomes([ask(), ask("Again?")])
    with replayed(path) as tape:
        first, second = await Client(tape, max_retries=2).outcomes([ask(), ask("Again?")])
    assert first == ("overloaded", 3, False)
    assert second[0] == [{"type": "text", "text": "From the next model."}]


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


ORDER_OF = {"then": ("AP-700123", "zoë.quill@canary.example"), "now": ("AP-811999", "max@example.org")}


async def test_todays_values_take_the_place_of_those_of_then(path: Path) -> None:
    """In words that stream three letters at a time, in arguments of tools, and in what is sent back."""

    def answer(body: Json) -> Reply:
        words = json.dumps(body["messages"], ensure_ascii=False)
        order = next(order for order, _ in ORDER_OF.values() if order in words)
        mail = next(mail for _, mail in ORDER_OF.values() if mail in words)
        use = tool_use("search_knowledge_base", {"query": f"{order} of {mail}\nand {order.lower()}"}, id="toolu_1")
        return Reply([text(f"Order {order} goes to {mail}. Is {order} right?"), use], chunk_chars=3)

    async def talk(tape: httpx2.AsyncBaseTransport, order: str, mail: str) -> list[Any]:
        with conversation("one"):
            know({"customer.email": mail})
            client = Client(tape)
            asked = ask(f"Where is {order}? I am {mail}.", tools=[SEARCH])
            reply = await client.call(asked)
            result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": json.dumps({"order": order})}
            sent = [{"role": "assistant", "content": reply.content}, {"role": "user", "content": [result]}]
            last = await client.call(replace(asked, messages=[*asked.messages, *sent]))
            return [*reply.content, last.text]

    with on(path, answer, lambda body: says(f"{body['messages'][0]['content'][10:19]}: it left.")) as tape:
        then = await talk(tape, *ORDER_OF["then"])
    with replayed(path) as tape:
        now = await talk(tape, *ORDER_OF["now"])
    swapped = json.dumps(then, ensure_ascii=False)
    for old, new in zip(ORDER_OF["then"], ORDER_OF["now"], strict=True):
        swapped = swapped.replace(old, new).replace(old.lower(), new.lower())
    assert now == json.loads(swapped)
    assert "⟦customer.email⟧" in read(path)
    assert "⟦order 1~lower⟧" in read(path)


async def test_what_only_the_model_has_named_is_made_up(path: Path) -> None:
    async def talk(tape: httpx2.AsyncBaseTransport) -> list[str]:
        client, asked = Client(tape), ask("Who sells it?")
        reply = await client.call(asked)
        sent = [{"role": "assistant", "content": reply.text}, {"role": "user", "content": "Thanks"}]
        return [reply.text, (await client.call(replace(asked, messages=[*asked.messages, *sent]))).text]

    with on(path, says("Write to zara@hidden.example."), says("zara@hidden.example it is.")) as tape:
        await talk(tape)
    with replayed(path) as tape:
        assert await talk(tape) == ["Write to someone1@example.com.", "someone1@example.com it is."]


CANARIES = {
    "mail": "cara.canary@secret-mail.example",
    "phone": "+49 30 90182012",
    "card": "4111 1111 1111 1111",
    "name": "Cassandra Canary-Quill",
    "street": "4711 Hollow Oak Lane",
    "town": "Bend, OR 97701",
    "order": "AP-764213",
    "parcel": "ALD4299764213",
    "iban": "DE89 3704 0044 0532 0130 00",
    "ssn": "536-22-8145",
    "password": "hunter2-Xy99",
    "id": "01a2005b-188f-7090-98d9-923c72e53200",
}


PICTURE = base64.b64encode(b"\x89PNG a canary in a cage").decode()


async def test_nobody_is_in_the_file(path: Path) -> None:
    """Not from what the customer writes, what tools return, or what the model says and passes on."""
    of = CANARIES
    spoken = (
        f"My name is {of['name']}, {of['street']}, {of['town']}. Call {of['phone']} or write to {of['mail']}. "
        f"My card is {of['card']}, my account {of['iban']}, my number {of['ssn']}, my password: {of['password']}. "
        f"Where is {of['order']}, parcel {of['parcel']}?"
    )
    result = json.dumps({"action_id": of["id"], "to": f"{of['name']}\n{of['street']}\n{of['town']}", "words": spoken})
    use = tool_use("search_knowledge_base", {"query": f"{spoken}\n{of['name'].upper()}"}, id="toolu_1")
    messages = [
        {"role": "user", "content": spoken},
        {"role": "assistant", "content": [use]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": result}]},
    ]
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PICTURE}}
    shown = ask(messages=[{"role": "user", "content": [picture, {"type": "text", "text": spoken}]}])
    lines = [Reply([text(spoken), use], chunk_chars=5), says(spoken), plans({**PLAN, "goal": spoken})]
    with on(path, *lines) as tape:
        outcomes = await Client(tape).outcomes([ask(messages=messages, tools=[SEARCH]), shown, ask(spoken, **PLANNED)])
    assert all(outcome[1] in {"tool_use", "end_turn"} for outcome in outcomes)
    written = read(path).lower()
    parts = ("Cassandra", "Hollow", PICTURE[:12], "Bearer", "authorization", "x-api-key")
    for value in (*CANARIES.values(), KEY, *parts):
        assert value.lower() not in written, value
    with replayed(path) as tape:
        await Client(tape).outcomes([ask(messages=messages, tools=[SEARCH]), shown, ask(spoken, **PLANNED)])


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
