"""A model for the bike shop's conversations: what it does follows from the request alone, as a helpful one would.

python -m tests.fakes.server --port 8899 --responder tests.company.assistant:answer
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.fakes.replies import Reply, calls, plans, says

Json = dict[str, Any]
NUMBER = re.compile(r"fc[ -]?\d{4}[ -]?\d{5}", re.IGNORECASE)
STORE = "mcp_stores_find_store"


@dataclass(frozen=True, slots=True)
class Scene:
    """What is answered to a message that holds `words`: a plan, one call of a tool, and a sentence on its result."""

    words: str
    tool: str
    arguments: Callable[[str], Json]
    says: Callable[[Json], str]
    acts: bool = False
    subject: str = "technical"
    extras: tuple[str, ...] = ()


def _order(message: str) -> Json:
    found = NUMBER.search(message)
    return {"order_number": found[0] if found else ""}


SCENES = (
    Scene("cancel", "cancel_order", lambda text: {**_order(text), "reason": "changed their mind"},
          lambda result: "Please confirm the cancellation below.", acts=True, subject="orders"),
    Scene("where is", "track_shipment", _order,
          lambda result: f"Your order {result['order_number']} is with {result['shipments'][0]['carrier']}."),
    Scene("somebody else", "lookup_order", lambda text: {"order_number": "FC-2026-01210"},
          lambda result: "I could not find such an order on your account."),
    Scene("store in Bergen", STORE, lambda text: {"city": "Bergen"},
          lambda result: f"Our store: {result['result']['stores'][0]['address']}.", extras=(STORE,)),
    Scene("fitting in Oslo", "find_fitting_times", lambda text: {"store": "oslo"},
          lambda result: f"The first free time is {result['free'][0]['starts']}.", extras=("find_fitting_times",)),
    Scene("book the first", "book_bike_fitting", lambda text: {"time": text.rpartition(" ")[2]},
          lambda result: "Please confirm the booking below.", acts=True, extras=("book_bike_fitting",)),
)  # fmt: skip


def answer(body: Json) -> Reply:
    message, results = _said(body)
    scene = next((scene for scene in SCENES if scene.words in message), None)
    if scene is None:
        return says("How can I help?")
    if (body.get("output_config") or {}).get("format"):
        return plans(_plan(scene, body["output_config"]["format"]["schema"]))
    if not results:
        return calls(scene.tool, scene.arguments(message))
    result = results[-1]
    if result["status"] not in ("success", "pending_confirmation"):
        return says("I could not find such an order on your account.")
    return says(scene.says(result))


def _plan(scene: Scene, schema: Json) -> Json:
    step = {"type": "take_action" if scene.acts else "gather_info", "priority": "required", "description": "Do it."}
    plan: Json = {
        "goal": "Help.", "topic": "shop", "subject": scene.subject, "in_scope": True, "complexity": "simple",
        "confidence": 0.95, "steps": [step], "is_complete": False,
    }  # fmt: skip
    return plan | ({"tools": list(scene.extras)} if "tools" in schema["properties"] else {})


def _said(body: Json) -> tuple[str, list[Json]]:
    """The newest words of the customer, and the tool results since."""
    words = ""
    results: list[Json] = []
    for message in body["messages"]:
        if message["role"] != "user":
            continue
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        texts = [block["text"] for block in blocks if block["type"] == "text"]
        if texts:
            words, results = " ".join(texts), []
        for block in blocks:
            if block["type"] == "tool_result":
                results.append(_result(block["content"]))
    return words, results


def _result(content: Any) -> Json:
    text = content if isinstance(content, str) else "".join(block.get("text", "") for block in content)
    result: Json = json.loads(text)
    return result
