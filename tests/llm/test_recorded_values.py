"""Nobody is in a recording, and today's values take the place of those of then."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2

from support_agent.llm.recorded import conversation, know
from tests.fakes.replies import Reply, plans, says, text, tool_use
from tests.fakes.server import PLAN
from tests.llm.conftest import SEARCH, ask
from tests.llm.recordings import KEY, PLANNED, Client, on, read, replayed

Json = dict[str, Any]

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
