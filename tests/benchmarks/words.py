"""What the fake model of the benchmark says, from the request alone, as bytes that were encoded once.

Of a turn it says up to three things: the plan (structured output), a look-up of the order the customer names, and an
answer that states nothing checkable, so that the product's own critic lets it pass.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from support_agent.llm.sse import CONTENT_TYPE, encode_event

Json = dict[str, Any]

TAG = re.compile(r"#[0-9a-f]{12}\b")
ORDER = re.compile(r"\b[A-Z]{2,4}-\d{3,8}\b")
LOOKS_UP = ("track_shipment", "lookup_order", "get_order")  # the first of them that is offered is called
PIECES = 6  # of a tool call's arguments, as the API streams them
BYTES_PER_TOKEN = 3.5
PLAN: Json = {
    "goal": "Know where the order is.",
    "topic": "order status",
    "subject": "orders",
    "in_scope": True,
    "complexity": "medium",
    "confidence": 0.9,
    "steps": [{"type": "gather_info", "priority": "required", "description": "Look it up."}],
    "is_complete": False,
}
ANSWER = (
    "I have looked at your order and at what the carrier says about it. "
    "The parcel is on its way to you, and nothing in the record looks unusual. "
    "You can follow it on the page of the order, where every stop is shown. "
    "If the address needs another look, write to us here and we can check it together. "
    "Should something arrive in a poor state, keep the box and send us a picture of it. "
    "Thank you for your patience, and please ask me whatever else you would like to know."
)
_STREAM_HEAD = (
    f"HTTP/1.1 200 OK\r\ncontent-type: {CONTENT_TYPE}\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n"
)
_LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Reply:
    """What is said to one request: `pieces` deltas of `block`, which is whole in a message that is not streamed.

    `sentence_at` is the delta with which the first sentence is known to be one: its end, a blank and a letter.
    """

    kind: str
    block: Json
    deltas: Sequence[bytes]
    output_tokens: int
    sentence_at: int = -1


def choose(body: Json, text: str, answer: Reply, message_id: str) -> Reply:
    """The plan, a look-up, or the `answer`; `text` are the customer's newest words."""
    if body.get("output_config"):
        return PLANNED
    if not _has_result(body):
        offered = {tool["name"] for tool in body.get("tools") or ()}
        name = next((name for name in LOOKS_UP if name in offered), "")
        number = ORDER.search(text)
        if name and number:
            return _look_up(name, number[0], message_id)
    return answer


def newest_text(body: Json) -> str:
    """The customer's newest words: those of the last message of theirs that has any; '' without one."""
    for message in reversed(body["messages"]):
        if message["role"] == "user":
            content = message["content"]
            texts = [content] if isinstance(content, str) else [b["text"] for b in content if b["type"] == "text"]
            if texts:
                return "\n".join(texts)
    return ""


def tag_in(text: str) -> str:
    """The last tag of a text, by which who asked and what was answered are joined; '' without one."""
    found = TAG.findall(text)
    return found[-1] if found else ""


def answer_in(deltas: int) -> Reply:
    """The answer in so many deltas of about the same length. Raises ValueError when there are not enough letters."""
    if not 1 <= deltas <= len(ANSWER):
        raise ValueError(f"the answer can be cut into 1 to {len(ANSWER)} deltas")
    cuts = [len(ANSWER) * at // deltas for at in range(deltas + 1)]
    pieces = [ANSWER[start:end] for start, end in pairwise(cuts)]
    letter = ANSWER.index(". ") + 2
    sentence_at = next(at for at, end in enumerate(cuts[1:]) if end > letter)
    encoded = [_delta({"type": "text_delta", "text": piece}) for piece in pieces]
    return Reply("answer", {"type": "text", "text": ANSWER}, encoded, deltas, sentence_at)


def opening(reply: Reply, message_id: str, model: str, usage: Json) -> bytes:
    """The response's head and its events up to the first delta."""
    is_tool = reply.block["type"] == "tool_use"
    empty = {**reply.block, "input": {}} if is_tool else {**reply.block, "text": ""}
    message = _message(message_id, model, [], None, {**usage, "output_tokens": 1})
    events = (
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": empty},
        {"type": "ping"},
    )
    head = f"{_STREAM_HEAD}request-id: {message_id}\r\n\r\n".encode()
    return head + b"".join(_chunk(encode_event(event)) for event in events)


def closing(reply: Reply, usage: Json) -> bytes:
    """The events after the last delta."""
    events = (
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": _stop_reason(reply), "stop_sequence": None},
            "usage": {**usage, "output_tokens": reply.output_tokens},
        },
        {"type": "message_stop"},
    )
    return b"".join(_chunk(encode_event(event)) for event in events) + _LAST_CHUNK


def whole(reply: Reply, message_id: str, model: str, usage: Json) -> Json:
    """The message that is not streamed."""
    counted = {**usage, "output_tokens": reply.output_tokens}
    return _message(message_id, model, [reply.block], _stop_reason(reply), counted)


def _has_result(body: Json) -> bool:
    """Whether the last message of the customer's side brings a tool's result."""
    last = next((message for message in reversed(body["messages"]) if message["role"] == "user"), {"content": ""})
    return not isinstance(last["content"], str) and any(block["type"] == "tool_result" for block in last["content"])


def _look_up(name: str, number: str, message_id: str) -> Reply:
    arguments = {"order_number": number}
    raw = json.dumps(arguments)
    pieces = ["", *_cut(raw, PIECES)]  # the API's first delta of a call is empty
    encoded = [_delta({"type": "input_json_delta", "partial_json": piece}) for piece in pieces]
    return Reply(
        "tool", {"type": "tool_use", "id": f"toolu_{message_id}", "name": name, "input": arguments}, encoded, 30
    )


def _cut(text: str, count: int) -> Iterator[str]:
    for at in range(count):
        yield text[len(text) * at // count : len(text) * (at + 1) // count]


def _message(message_id: str, model: str, content: list[Json], stop_reason: str | None, usage: Json) -> Json:
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": usage,
    }


def _stop_reason(reply: Reply) -> str:
    return "tool_use" if reply.kind == "tool" else "end_turn"


def _delta(delta: Json) -> bytes:
    return _chunk(encode_event({"type": "content_block_delta", "index": 0, "delta": delta}))


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


_PLANNED = json.dumps(PLAN)
PLANNED = Reply(
    "plan", {"type": "text", "text": _PLANNED}, (_delta({"type": "text_delta", "text": _PLANNED}),), len(_PLANNED) // 4
)
