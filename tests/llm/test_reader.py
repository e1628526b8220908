"""The reader of the stream: bytes cut anywhere give the events that were sent, and nothing that is none passes."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable

import pytest

from support_agent.agent.types import Json
from support_agent.llm.sse import EventReader, encode_error, encode_message_stream

MESSAGE: Json = {
    "id": "msg_1",
    "model": "claude-sonnet-5-5",
    "content": [
        {"type": "thinking", "thinking": "Hm … ✓", "signature": "sig/+=="},
        {"type": "text", "text": "Ihr Paket 📦 kommt:\r\nFreitag.\u2028Ende", "citations": [{"cited_text": "a: b"}]},
        {"type": "tool_use", "id": "toolu_1", "name": "search", "input": {"query": "“open\nbox”"}},
    ],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 10, "output_tokens": 20},
}
SENT = list(encode_message_stream(MESSAGE, chunk_chars=7))
EVENTS = [event for raw in SENT if (event := json.loads(raw.partition(b"data: ")[2]))["type"] != "ping"]


def read(*pieces: bytes) -> list[Json]:
    reader = EventReader()
    return [event for piece in pieces for event in reader.feed(piece)]


def wire(lines: str, events: Iterable[bytes] = SENT) -> bytes:
    """The stream with line ends of one kind, behind a comment and fields that no event needs."""
    raw = b": hello\n\nretry: 3000\nid: 7\n\n" + b"".join(events)
    return raw.replace(b"\n", lines.encode())


@pytest.mark.parametrize("lines", ["\n", "\r\n"])
def test_cut_in_two_at_every_byte(lines: str) -> None:
    raw = wire(lines)
    assert all(read(raw[:at], raw[at:]) == EVENTS for at in range(len(raw) + 1))


@pytest.mark.parametrize("lines", ["\n", "\r\n"])
def test_cut_into_many(lines: str) -> None:
    raw = wire(lines)
    assert read(*(raw[at : at + 1] for at in range(len(raw)))) == EVENTS
    dice = random.Random(9)
    for _ in range(200):
        cuts = sorted(dice.randrange(len(raw)) for _ in range(dice.randrange(30)))
        assert read(*(raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True))) == EVENTS


def test_each_event_is_given_as_soon_as_it_has_ended() -> None:
    reader = EventReader()
    assert [len(list(reader.feed(raw))) for raw in SENT].count(0) == 1, "the ping"


@pytest.mark.parametrize(
    "raw",
    [
        'data: {"type": "x"}\n\n',
        'event: x\ndata:{"type": "x"}\n\n',
        'event: message\ndata: {"type":\ndata:  "x"}\n\n',
        ':\nevent: x\n:\ndata: {"type": "x"}\n: note\n\n',
        'data: {"type": "x"}\nevent: x\nunknown\nother: field\n\n',
        '\n\n\nevent: ping\ndata: alive\n\nevent: quiet\n\ndata: {"type": "x"}\n\ndata: {"type": "cut',
    ],
    ids=["no name", "no blank", "data of two lines", "comments", "other fields", "events that carry nothing"],
)
def test_what_stands_around_an_event(raw: str) -> None:
    assert read(raw.encode()) == read(raw.replace("\n", "\r\n").encode()) == [{"type": "x"}]


@pytest.mark.parametrize(
    ("raw", "event"),
    [
        (encode_error("overloaded_error", "busy"), {"error": {"type": "overloaded_error", "message": "busy"}}),
        (b"event: error\ndata: upstream is gone\n\n", {"error": {"message": "upstream is gone"}}),
        (b'event: error\ndata: {"error": {"type": "a"}}\n\n', {"error": {"type": "a"}}),
        (b"event: error\ndata: [1]\n\n", {"error": {"message": "[1]"}}),
        (b"event: error\ndata: \xff\n\n", {"error": {"message": "\ufffd"}}),
        (b"event: error\n\n", {"error": {"message": ""}}),
    ],
)
def test_an_error_is_one_however_it_is_put(raw: bytes, event: Json) -> None:
    assert read(raw) == [{**event, "type": "error"}]


@pytest.mark.parametrize("data", [b"{", b"<html>", b"[1, 2]", b'"x"', b"null", b'{"text": "\xff"}', b'{"text": "a'])
def test_what_is_no_json_object_is_refused_after_what_came_before_it(data: bytes) -> None:
    events = EventReader().feed(SENT[0] + b"event: content_block_delta\ndata: " + data + b"\n\n" + SENT[1])
    assert next(events) == EVENTS[0]
    with pytest.raises(ValueError, match=r".+"):
        next(events)
