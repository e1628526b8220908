"""Log lines: JSON, with the ids of the work at hand, without secrets and people's data."""

from __future__ import annotations

import json
import logging
import logging.config
import re
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import structlog
from channels.testing import WebsocketCommunicator
from django.test import Client

from support_agent.logs import logging_settings, redacted
from support_agent.origins import OriginMiddleware


def read(stream: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture
def stream() -> Iterator[StringIO]:
    out = StringIO()
    settings = logging_settings(level="INFO", pretty=False)
    settings["handlers"]["stderr"]["stream"] = out
    before = logging.getLogger().handlers[:]
    logging.config.dictConfig(settings)
    yield out
    logging.getLogger().handlers[:] = before


def test_every_library_s_line_is_json_with_the_bound_ids(stream: StringIO) -> None:
    with structlog.contextvars.bound_contextvars(conversation_id="c1", turn_id="t1"):
        structlog.get_logger("ours").info("answered", cost_usd="0.01")
        logging.getLogger("theirs").warning("slow %s", "query", extra={"rows": 3})
    ours, theirs = read(stream)
    assert ours | {"event": "answered", "conversation_id": "c1", "turn_id": "t1", "level": "info"} == ours
    assert theirs | {"event": "slow query", "logger": "theirs", "turn_id": "t1", "rows": 3} == theirs


def test_a_traceback_is_in_the_line(stream: StringIO) -> None:
    try:
        raise ValueError("token sk-ant-0123456789abcdef")
    except ValueError:
        logging.getLogger("theirs").exception("failed")
    (line,) = read(stream)
    assert "ValueError" in line["exception"]
    assert "0123456789abcdef" not in line["exception"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"Authorization": "Bearer abcdefgh12345"}, {"Authorization": "[redacted]"}),
        ({"token": "abc", "input_tokens": 12}, {"token": "[redacted]", "input_tokens": 12}),
        ("GET /ws/?token=abcdef&after=3", "GET /ws/?token=[redacted]&after=3"),
        ("postgresql://shop:hidden@db/shop", "postgresql://shop:[redacted]@db/shop"),
        ("my card is 4242 4242 4242 4242.", "my card is [card]."),
        ("order AP-104233, tracking ALD1234567890123", "order AP-104233, tracking ALD1234567890123"),
        ("from olivia.owner@example.com", "from [email]"),
        (["sk-staff-0123456789"], ["[redacted]"]),
    ],
)
def test_secrets_and_people_s_data_are_left_out(said: object, kept: object) -> None:
    assert redacted(said) == kept


@pytest.mark.django_db
def test_a_page_s_lines_carry_its_conversation(stream: StringIO, client: Client) -> None:
    conversation_id = "0199a0b0-0000-7000-8000-000000000001"
    client.get(f"/api/v1/conversations/{conversation_id}/events?token=hidden1234")
    line = next(line for line in read(stream) if line["event"] == "request")
    assert line | {"conversation_id": conversation_id, "method": "GET"} == line
    assert re.fullmatch(r"[0-9a-f]{32}", line["request_id"])
    assert "hidden1234" not in stream.getvalue()


async def test_a_socket_s_lines_carry_its_conversation(stream: StringIO) -> None:
    async def app(scope: object, receive: object, send: Any) -> None:
        structlog.get_logger("socket").warning("opened")
        await send({"type": "websocket.accept"})

    path = "/ws/chat/0199a0b0-0000-7000-8000-000000000001/?token=hidden1234"
    await WebsocketCommunicator(OriginMiddleware(app), path, headers=[(b"host", b"testserver")]).connect()
    (line,) = read(stream)
    assert line["conversation_id"] == "0199a0b0-0000-7000-8000-000000000001"
    assert "hidden1234" not in stream.getvalue()
