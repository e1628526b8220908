"""The strict fake of the Messages API in a thread of this process, with a script for each customer's words.

A customer's message carries a tag (`#…`); what is asked for it is counted by that tag, and faults are planned for the
n-th request. What the model says follows from the request alone (plan, then one ticket, then the answer), so that a
turn taken over by another runner gets the same words again.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Self
from uuid import uuid4

from aiohttp import web

from tests.fakes.messages_api import FakeMessagesAPI
from tests.fakes.normal import Json
from tests.fakes.replies import Reply, calls, plans, says
from tests.fakes.server import application
from tests.faults.threads import LoopThread

TAG = re.compile(r"#[0-9a-f]{12}")
PLAN: Json = {
    "goal": "Write down what is torn.",
    "topic": "product fault",
    "subject": "orders",
    "in_scope": True,
    "complexity": "medium",
    "confidence": 0.9,
    "steps": [{"type": "gather_info", "priority": "required", "description": "Open a ticket."}],
    "is_complete": False,
}
ANSWER = (
    "I have written that down for our team. Thank you for telling us about the strap of the backpack, "
    "and for saying so clearly what has happened to it. A colleague will read your words and look at what is best. "
    "You can keep on using the backpack meanwhile, if it still holds."
)
PLAN_CALL, TOOL_CALL, ANSWER_CALL = 1, 2, 3  # the requests of a turn that nothing troubles


def new_tag() -> str:
    return f"#{uuid4().hex[:12]}"


@dataclass(slots=True)
class Held:
    """A request that waits: `arrived` is set when it came in, `release` lets it be answered."""

    arrived: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        self.released.set()


@dataclass(slots=True)
class Script:
    """What goes wrong for one tag: by the number of the request, from 1."""

    faults: dict[int, Reply] = field(default_factory=dict)
    holds: dict[int, Held] = field(default_factory=dict)
    on_fault: Callable[[], None] = lambda: None  # each time a fault was said


class FaultyModel:
    """`url` is where it listens; `script` plans faults, `charged` is what the API takes for the words of some tags."""

    def __init__(self) -> None:
        self.api = FakeMessagesAPI(self._reply)
        self.pace_s, self.chunk_chars = 0.01, 16
        self._scripts: dict[str, Script] = {}
        self._asked: Counter[str] = Counter()
        self.address = ("127.0.0.1", 0)

    def __enter__(self) -> Self:
        self._thread = LoopThread("model")
        self._thread.run(self._serve())
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.end()

    def script(self, tag: str) -> Script:
        return self._scripts.setdefault(tag, Script())

    def asked(self, tag: str) -> int:
        """How many requests came for a tag."""
        return self._asked[tag]

    def charged(self, tags: set[str]) -> Decimal:
        return sum((served.charged_usd for served in self.api.served if tag_of(served.body) in tags), Decimal())

    async def _serve(self) -> None:
        runner = web.AppRunner(application(self.api))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.address = runner.addresses[0][:2]

    async def _reply(self, body: Json) -> Reply:
        tag = tag_of(body)
        self._asked[tag] += 1
        number, script = self._asked[tag], self.script(tag)
        if held := script.holds.get(number):
            held.arrived.set()
            while not held.released.is_set():  # noqa: ASYNC110  # set from another thread
                await asyncio.sleep(0.01)
        if fault := script.faults.get(number):
            script.on_fault()
            return fault
        return self.usual(body)

    def usual(self, body: Json) -> Reply:
        """What it says when nothing is wrong."""
        if (body.get("output_config") or {}).get("format"):
            return plans(PLAN)
        if not _has_result(body):
            return calls("create_ticket", ticket(tag_of(body)))
        return says(ANSWER, pace_s=self.pace_s, chunk_chars=self.chunk_chars)


def ticket(tag: str) -> Json:
    """The arguments of the one side effect of a turn."""
    return {
        "customer_email": "someone@example.com",
        "subject": f"A strap is torn {tag}",
        "body": "The strap of the backpack is torn.",
        "priority": "low",
        "category": "product",
    }


def tag_of(body: Json) -> str:
    """The tag of the newest words of the customer in a request; '' without one."""
    found = [tag for message in body["messages"] if message["role"] == "user" for tag in _tags(message)]
    return found[-1] if found else ""


def _tags(message: Json) -> list[str]:
    content = message["content"]
    texts = [content] if isinstance(content, str) else [b["text"] for b in content if b["type"] == "text"]
    return [tag for text in texts for tag in TAG.findall(text)]


def _has_result(body: Json) -> bool:
    """Whether the newest words' own ticket was answered: its subject has their tag."""
    tag = tag_of(body)
    asked = {
        block["id"]
        for message in body["messages"]
        if message["role"] == "assistant" and not isinstance(message["content"], str)
        for block in message["content"]
        if block["type"] == "tool_use" and (not tag or tag in json.dumps(block["input"]))
    }
    return any(
        block["type"] == "tool_result" and block["tool_use_id"] in asked
        for message in body["messages"]
        if message["role"] == "user" and not isinstance(message["content"], str)
        for block in message["content"]
    )
