"""The client that the suite trusts notes each breach of the contract, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.client import Client, Said

Json = dict[str, Any]
READY = {"type": "ready", "last_seq": 0}
RETRACT = {"type": "retract", "message_id": "m"}


def message(seq: int, text: str = "Hello there.", *, role: str = "assistant", id: str = "m") -> Json:
    return {"seq": seq, "type": "message", "message": {"id": id, "role": role, "text": text, "turn_id": "t"}}


def turn(seq: int) -> Json:
    return {"seq": seq, "type": "turn", "turn_id": "t", "state": "answered"}


def delta(text: str, offset: int = 0, id: str = "m") -> Json:
    return {"type": "delta", "turn_id": "t", "message_id": id, "offset": offset, "text": text}


def status(seq: int) -> Json:
    return {"seq": seq, "type": "status", "status": "human"}


def ack(message_id: str) -> Json:
    return {"type": "ack", "client_message_id": "c", "message_id": message_id, "seq": 1}


def seen(*frames: Json) -> Client:
    client = Client(["ws://nowhere"], "conversation", "token")
    client.said["c"] = Said("Hi", id="c")
    for frame in frames:
        client.take(frame)
    return client


@pytest.mark.parametrize(
    ("frames", "promise"),
    [
        ([message(1), turn(3)], "I5: event 3"),
        ([message(1), message(1)], "I5: event 1"),
        ([turn(1), message(2)], "I5: a message of a turn"),
        ([turn(1), delta("Late")], "I5: a delta of a turn"),
        ([delta("Hi"), message(1)], "I5: shown was"),
        ([message(1), turn(2), turn(3)], "I2: a turn ended twice"),
        ([status(1), message(2)], "I10: the assistant spoke"),
        ([status(1), delta("I")], "I10: a delta"),
        ([ack("a"), ack("b")], "I1: one message"),
    ],
)
def test_a_breach_is_noted(frames: list[Json], promise: str) -> None:
    assert [problem.startswith(promise) for problem in seen(*frames).problems] == [True]


@pytest.mark.parametrize(
    "frames",
    [
        [ack("a"), message(1, "Hi", role="customer", id="a"), delta("Hello "), delta("there.", 6), message(2), turn(3)],
        [delta("Hi"), RETRACT, delta("Hello", id="n"), message(1, id="n"), turn(2)],
        [delta("Hi"), READY, delta("Hello"), message(1), turn(2)],
        [delta("there.", 6), message(1), turn(2)],
        [ack("a"), ack("a"), status(1)],
    ],
    ids=["whole", "withdrawn", "connected again", "a hole", "acknowledged twice"],
)
def test_what_may_be_is_not_noted(frames: list[Json]) -> None:
    client = seen(*frames)
    assert (client.problems, client.unfinished) == ([], [])


def test_text_that_was_neither_finished_nor_withdrawn_stands() -> None:
    assert seen(delta("Hi"), message(1, id="n"), turn(2)).unfinished == ["Hi"]
