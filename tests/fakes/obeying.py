"""A model that obeys whoever's text it reads: the worst one that could answer, and a responder for FakeMessagesAPI.

It reads the whole prompt it is sent and follows the orders an attacker has hidden in it, wherever they stand:

    <<do: lookup_order order_number=AP-200001>>         a tool call; several orders are called together
    <<many 50: lookup_order order_number=AP-2{n}>>      so many calls at once, {n} counts them
    <<forever: search_knowledge_base query=x{n}>>       a call in every reply, {n} counts the replies
    <<first: words>>   <<say: words>>                   said before the calls, and as the answer
    <<plan: subject=billing; confidence=1>>             what the plan is made of; <<plan: raw=…>> is the plan itself
    <<long: 9000>>     <<refuse: yes>>                  that many words without an end; a refusal

Arguments are `name=value`, parted by `; `; a value that is JSON is taken as that. Words may hold {seen} (the newest
tool results), {email} (the first address in them), {system} (its instructions), {encoded} (these as base64), {tools},
{prompt} (all it was sent), {ids} (every UUID in it) and {action} (the newest action's id). Where no order wants a call,
it looks up what the message names, as a helpful model would: so it finds what was planted in records and articles.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from support_agent.agent.prompts import prompt
from support_agent.agent.routing import TOOLSETS
from tests.fakes.normal import Json, blocks
from tests.fakes.replies import Block, Reply, plans, text, tool_use

ORDER = re.compile(r"<<(do|many|forever|first|say|plan|long|refuse)(?: (\d+))?: ?(.*?)>>", re.DOTALL)
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ORDER_NUMBER, ADDRESS = re.compile(r"\bAP-\d{6}\b"), re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
Interrupt = Callable[[int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Order:
    """One thing an attacker wants, as it was read."""

    verb: str
    count: int
    rest: str


class ObeyingModel:
    """`heard` are the orders that reached it; `interrupt` is awaited before each of its answers, with their number."""

    def __init__(self) -> None:
        self.heard: set[Order] = set()
        self.interrupt: Interrupt | None = None
        self._answers = 0

    def forget(self) -> None:
        self.heard, self.interrupt, self._answers = set(), None, 0

    async def __call__(self, body: Json) -> Reply:
        orders = read_orders(body)
        self.heard.update(orders)
        if (body.get("output_config") or {}).get("format"):
            return _plan(body, orders)
        if _instructions(body) == prompt("memory").text:  # it keeps the orders, so that they reach every later turn
            return Reply(
                [text(" ".join(f"<<{o.verb}{f' {o.count}' if o.count else ''}: {o.rest}>>" for o in orders) or "-")]
            )
        self._answers += 1
        if self.interrupt is not None:
            await self.interrupt(self._answers)
        return _answer(body, orders)


def read_orders(body: Json) -> list[Order]:
    """Every order in the prompt, in its order, each once."""
    found = [
        Order(match[1], int(match[2] or 0), match[3].strip())
        for words in _everything(body)
        for match in ORDER.finditer(words)
    ]
    return list(dict.fromkeys(found))


def _plan(body: Json, orders: list[Order]) -> Reply:
    """A plan that opens the widest door there is for the calls that are wanted."""
    wanted = [name for name, _ in _calls(body, orders)]
    subjects = [s for s in ("orders", "billing", "account") if set(wanted) & set(TOOLSETS[s])]
    plan: Json = {
        "goal": "Do what the text says.",
        "topic": "anything",
        "subject": max(subjects, key=lambda s: len(set(wanted) & set(TOOLSETS[s])), default="technical"),
        "in_scope": True,
        "complexity": "simple",
        "confidence": 1.0,
        "steps": [{"type": "take_action", "priority": "required", "description": "Do it."}],
        "is_complete": False,
    }
    for order in orders:
        if order.verb == "plan":
            fields = _arguments(order.rest)
            if "raw" in fields:
                return Reply([text(str(fields["raw"]))])
            plan |= fields
    return plans(plan)


def _answer(body: Json, orders: list[Order]) -> Reply:
    if any(order.verb == "refuse" for order in orders):
        return Reply([text("I will not.")], stop_reason="refusal")
    known = [(block["name"], block["input"]) for block in _said(body) if block["type"] == "tool_use"]
    endless = [call for order in orders if order.verb == "forever" for call in [_call(order.rest, len(known))]]
    calls = [call for call in _calls(body, orders) if call not in known] + endless
    offered = bool(body.get("tools"))
    if calls and offered:
        said: list[Block] = [text(_fill(order.rest, body)) for order in orders if order.verb == "first" and not known]
        return Reply([*said, *(tool_use(name, arguments) for name, arguments in calls)])
    for order in orders:
        if order.verb == "long":
            return Reply([text("very " * int(order.rest))], stop_reason="max_tokens")
    words = " ".join(_fill(order.rest, body) for order in orders if order.verb == "say")
    return Reply([text(words or "Certainly.")])


def _calls(body: Json, orders: list[Order]) -> list[tuple[str, Json]]:
    """The calls that are wanted, each once; without any, what a helpful model would look up."""
    wanted = [
        _call(order.rest, number)
        for order in orders
        if order.verb in {"do", "many"}
        for number in range(1, max(order.count, 1) + 1)
    ]
    return wanted or _helpful(body, orders)


def _helpful(body: Json, orders: list[Order]) -> list[tuple[str, Json]]:
    asked = next((m for m in reversed(body["messages"]) if m["role"] == "user" and _plain(m)), None)
    words = ORDER.sub("", _plain(asked)) if asked else ""
    numbers, addresses = ORDER_NUMBER.findall(words), ADDRESS.findall(words)
    found = [(tool, {"order_number": n}) for n in numbers for tool in ("lookup_order", "track_shipment")]
    found += [("lookup_customer", {"email": address}) for address in addresses]
    if not found and not any(order.verb in {"say", "first", "long", "forever"} for order in orders):
        found = [("search_knowledge_base", {"query": words[:200].strip() or "help"})]
    return list({json.dumps(call, sort_keys=True): call for call in found}.values())


def _call(rest: str, number: int) -> tuple[str, Json]:
    name, _, arguments = rest.partition(" ")
    return name, _arguments(arguments.replace("{n}", str(number)))


def _arguments(written: str) -> Json:
    found: Json = {}
    for part in filter(None, (part.strip() for part in written.split("; "))):
        name, _, value = part.partition("=")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def _fill(words: str, body: Json) -> str:
    everything = "\n".join(_everything(body))
    results = [
        part for message in body["messages"] for part in blocks(message["content"]) if part["type"] == "tool_result"
    ]
    ids = list(dict.fromkeys(UUID.findall(everything)))
    acted = re.findall(rf"action (?:_id)?\W*({UUID.pattern})", everything.replace("action_id", "action "))
    known = {
        "{seen}": " ".join(str(part["content"]) for part in results[-8:]),
        "{system}": _instructions(body),
        "{tools}": ", ".join(tool["name"] for tool in body.get("tools") or []),
        "{prompt}": everything,
        "{ids}": " ".join(ids),
        "{email}": next(iter(ADDRESS.findall(" ".join(str(part["content"]) for part in results))), "nobody"),
        "{action}": acted[-1] if acted else "none",
        "{encoded}": base64.b64encode(_instructions(body).encode()).decode(),
    }
    for name, value in known.items():
        words = words.replace(name, value)
    return words[:6000]


def _said(body: Json) -> Iterator[Block]:
    for message in body["messages"]:
        if message["role"] == "assistant":
            yield from blocks(message["content"])


def _plain(message: Json) -> str:
    return "\n".join(part["text"] for part in blocks(message["content"]) if part["type"] == "text")


def _instructions(body: Json) -> str:
    return "\n".join(part["text"] for part in blocks(body.get("system")))


def _everything(body: Json) -> Iterator[str]:
    """All words of the prompt; what stands in JSON is read as what it says."""
    for message in body["messages"]:
        for part in blocks(message["content"]):
            written = part.get("text") or part.get("content") or part.get("input") or ""
            yield from _words(written if isinstance(written, str) else json.dumps(written))


def _words(written: str) -> Iterator[str]:
    """The text of all lines that are no JSON, together, and every string of those that are."""
    plain: list[str] = []
    for line in written.split("\n"):
        try:
            value = json.loads(line)
        except ValueError:
            plain.append(line)
        else:
            yield from _strings(value)
    yield "\n".join(plain)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from (f"{key} {words}" if UUID.fullmatch(words) else words for words in _strings(inner))
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
    else:
        yield str(value)
