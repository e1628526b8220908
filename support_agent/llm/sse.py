"""The Messages API's stream, as bytes: how the client reads it, and what a server sends for a finished message.

The demo model and the fake API of the tests send what is encoded here, so that the client meets one wire format.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

_BLANK = (b"", b"\r")  # ends an event
CONTENT_TYPE = "text/event-stream; charset=utf-8"


class EventReader:
    """Server-sent events from bytes that were cut anywhere; lines end with LF or CR LF."""

    def __init__(self) -> None:
        self._rest = bytearray()  # of a line whose end has not come
        self._name = b""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> Iterator[Json]:
        """The data of the events that end in `piece`, one by one; an `error` event has the type "error" in any case.

        Take them all before the next piece. Raises ValueError at an event whose data is no JSON object.
        """
        self._rest += piece
        if b"\n" not in piece:
            return
        *lines, rest = bytes(self._rest).split(b"\n")
        self._rest = bytearray(rest)
        for line in lines:
            field, _, value = line.removesuffix(b"\r").partition(b":")
            if field == b"data":
                self._data.append(value.removeprefix(b" "))
            elif field == b"event":
                self._name = value.removeprefix(b" ")
            elif line in _BLANK:
                name, data = self._name, b"\n".join(self._data)
                self._name, self._data = b"", []
                if (event := _decode(name, data)) is not None:
                    yield event


def _decode(name: bytes, data: bytes) -> Json | None:
    """None for what carries nothing: a ping, or an event without data."""
    if name == b"error":
        return _decode_error(data.decode(errors="replace"))
    if name == b"ping" or not data:
        return None
    event = json.loads(data.decode())
    if not isinstance(event, dict):
        raise ValueError(f"an event that is no JSON object: {event!r:.100}")
    return event


def _decode_error(data: str) -> Json:
    """An `error` event, also where a gateway has put plain words in it."""
    try:
        event = json.loads(data)
    except ValueError:
        event = None
    return {**(event if isinstance(event, dict) else {"error": {"message": data}}), "type": "error"}


def encode_event(data: Json) -> bytes:
    """One server-sent event; its name is the data's `type`."""
    return f"event: {data['type']}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def encode_error(kind: str, message: str) -> bytes:
    """The `error` event that may come after the 200, e.g. `overloaded_error`."""
    return encode_event({"type": "error", "error": {"type": kind, "message": message}})


def encode_message_stream(message: Json, *, chunk_chars: int = 24) -> Iterator[bytes]:
    """The events of a whole message (id, model, content, stop_reason, usage), one `bytes` each, in the API's order.

    Texts come in deltas of `chunk_chars` characters. A tool_use whose `input` is a `str` has that string streamed as it
    is, which is how a model's broken JSON is played. The caller paces the events.
    """
    yield encode_event({"type": "message_start", "message": _opening(message)})
    for index, block in enumerate(message["content"]):
        yield encode_event({"type": "content_block_start", "index": index, "content_block": _empty(block)})
        if index == 0:
            yield encode_event({"type": "ping"})
        for delta in _deltas(block, chunk_chars):
            yield encode_event({"type": "content_block_delta", "index": index, "delta": delta})
        yield encode_event({"type": "content_block_stop", "index": index})
    yield encode_event(_closing(message))
    yield encode_event({"type": "message_stop"})


def _opening(message: Json) -> Json:
    """The message before its content: the prompt's usage is final, the output's has only begun."""
    usage = {**message["usage"], "output_tokens": min(1, message["usage"]["output_tokens"])}
    start: Json = {"id": "", "type": "message", "role": "assistant", **message}
    return {**start, "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}


def _closing(message: Json) -> Json:
    return {
        "type": "message_delta",
        "delta": {"stop_reason": message["stop_reason"], "stop_sequence": message.get("stop_sequence")},
        "usage": message["usage"],
    }


def _empty(block: Json) -> Json:
    match block["type"]:
        case "text":
            return {**block, "text": "", **({"citations": []} if "citations" in block else {})}
        case "thinking":
            return {**block, "thinking": "", "signature": ""}
        case "tool_use":
            return {**block, "input": {}}
        case _:
            return block  # redacted_thinking and the like come whole


def _deltas(block: Json, chunk_chars: int) -> Iterator[Json]:
    match block["type"]:
        case "text":
            for citation in block.get("citations") or ():
                yield {"type": "citations_delta", "citation": citation}
            for piece in _pieces(block["text"], chunk_chars):
                yield {"type": "text_delta", "text": piece}
        case "thinking":
            for piece in _pieces(block["thinking"], chunk_chars):
                yield {"type": "thinking_delta", "thinking": piece}
            yield {"type": "signature_delta", "signature": block["signature"]}
        case "tool_use":
            raw = block["input"] if isinstance(block["input"], str) else json.dumps(block["input"], ensure_ascii=False)
            yield {"type": "input_json_delta", "partial_json": ""}
            for piece in _pieces(raw, chunk_chars):
                yield {"type": "input_json_delta", "partial_json": piece}


def _pieces(text: str, size: int) -> Iterator[str]:
    for start in range(0, len(text), size):
        yield text[start : start + size]
