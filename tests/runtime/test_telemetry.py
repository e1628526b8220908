"""Turns as spans: read back from the protobuf that a collector on this machine received, and from one that is away."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from pydantic import SecretStr

from support_agent import telemetry
from support_agent.env import env
from support_agent.models import Turn
from support_agent.telemetry import export, names
from tests.fakes.replies import calls, fails, plans, says
from tests.runtime.conftest import Rig
from tests.runtime.test_answers import PLAN
from tests.stack import ROOT, free_port
from tickets.db import in_db

Attributes = dict[str, Any]


class Collector:
    """What arrived, and with which headers."""

    def __init__(self, endpoint: str = "") -> None:
        self.endpoint = endpoint
        self.requests: list[ExportTraceServiceRequest] = []
        self.headers: list[dict[str, str]] = []  # by names in lower case

    async def of(self, turn: Turn) -> list[Span]:
        """The spans of a turn that has ended, its own first, the others in the order in which they began."""
        async with asyncio.timeout(10):
            while True:  # its own is made just after the turn's end was written
                await asyncio.to_thread(export.provider().force_flush)
                spans = [span for span in self.spans() if UUID(bytes=span.trace_id) == turn.pk]
                if any(not span.parent_span_id for span in spans):
                    return sorted(spans, key=lambda span: (bool(span.parent_span_id), span.start_time_unix_nano))
                await asyncio.sleep(0.02)

    def spans(self) -> list[Span]:
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@contextmanager
def collecting() -> Iterator[tuple[str, Collector]]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/otlp/v1/traces"
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.requests.append(ExportTraceServiceRequest.FromString(body))
            collector.headers.append({name.lower(): said for name, said in self.headers.items()})
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/otlp", collector
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def switch_on(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Switch telemetry on towards an address, as the environment would."""

    def on(endpoint: str, **more: Any) -> None:
        changed = env.model_copy(update={"otel_exporter_otlp_endpoint": endpoint, **more})
        for module in ("", ".export", ".spans"):
            monkeypatch.setattr(import_module(f"support_agent.telemetry{module}"), "env", changed)

    forget()
    yield on
    export.close()
    forget()


def forget() -> None:
    export.provider.cache_clear()
    export.tracer.cache_clear()


@pytest.fixture
def collector(switch_on: Callable[..., None]) -> Iterator[Collector]:
    with collecting() as (endpoint, found):
        found.endpoint = endpoint
        switch_on(endpoint, otel_exporter_otlp_headers=SecretStr("Authorization=Basic%20abc,x-team=desk"))
        yield found


def value(of: AnyValue) -> Any:
    if of.WhichOneof("value") == "array_value":
        return [value(one) for one in of.array_value.values]
    return getattr(of, of.WhichOneof("value") or "string_value")


def attributes(of: Any) -> Attributes:
    return {pair.key: value(pair.value) for pair in of.attributes}


async def looked_up(rig: Rig) -> Turn:
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(
        plans(PLAN),
        calls("lookup_order", {"order_number": "AP-100001"}),
        says("Order AP-100001 over 180.00 USD has been delivered."),
        says("You're welcome."),
    )
    return await rig.ask(conversation, "I would like to know everything about AP-100001")


async def test_a_turn_is_a_trace_of_its_calls_and_tools(rig: Rig, collector: Collector) -> None:
    turn = await looked_up(rig)
    found = await collector.of(turn)
    spans = {span.name: span for span in found}
    root, plan = spans["invoke_agent support-assistant"], spans["chat claude-haiku-5-5"]
    tool, chat = spans["execute_tool lookup_order"], spans["chat claude-sonnet-5-5"]
    assert [span.name for span in found] == [root.name, plan.name, chat.name, tool.name, chat.name]
    assert len(collector.spans()) == len(found)
    assert not root.parent_span_id
    assert {span.parent_span_id for span in (plan, tool, chat)} == {root.span_id}
    assert chat.kind == Span.SPAN_KIND_CLIENT
    for span in spans.values():
        assert root.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
        assert span.end_time_unix_nano <= root.end_time_unix_nano
        assert attributes(span)[names.CONVERSATION] == str(turn.conversation_id)
        assert attributes(span)[names.USER] == str(rig.cast.owner.pk)
    resource = collector.requests[0].resource_spans[0].resource
    assert attributes(resource)["service.name"] == "support-agent"
    assert collector.headers[0]["authorization"] == "Basic abc"
    assert collector.headers[0]["x-team"] == "desk"


async def test_spans_say_what_the_records_say(rig: Rig, collector: Collector) -> None:
    turn = await looked_up(rig)
    found = await collector.of(turn)
    steps = await in_db(lambda: list(turn.steps.exclude(model="").order_by("index")))
    chats = [attributes(span) for span in found if span.name.startswith("chat ")]
    assert len(chats) == len(steps) == 3
    for said, step in zip(chats, steps, strict=True):
        assert said[names.OPERATION] == "chat"
        assert said[names.PROVIDER] == "anthropic"
        assert said[names.REQUEST_MODEL] == step.model
        assert said[names.INPUT_TOKENS] == step.input_tokens + step.cache_read_tokens + step.cache_write_tokens > 0
        assert said[names.CACHE_READ_TOKENS] == step.cache_read_tokens
        assert said[names.CACHE_WRITE_TOKENS] == step.cache_write_tokens
        assert said[names.OUTPUT_TOKENS] == step.output_tokens
        assert said[names.COST] == float(step.cost_usd)
        assert said.get(names.FIRST_CHUNK_S) == (None if step.ttft_ms is None else step.ttft_ms / 1000)
        assert said[names.STEP] == step.index
    assert chats[1][names.FINISH_REASONS] == ["tool_use"]
    [tool] = [attributes(span) for span in found if span.name.startswith("execute_tool")]
    assert (tool[names.OPERATION], tool[names.TOOL], tool[names.STEP_STATUS]) == (
        "execute_tool",
        "lookup_order",
        "success",
    )
    root = attributes(found[0])
    await in_db(turn.refresh_from_db)
    assert root[names.STATE] == "answered"
    assert root[names.TURN_COST] == pytest.approx(float(turn.cost_usd))
    assert root[names.AGENT_VERSION] == turn.prompt_version
    assert (root[names.TOPIC], root[names.PATH], root[names.SURFACE]) == ("order status", "planned", turn.surface)
    assert [event.name for event in found[0].events] == ["critic"]


async def test_no_words_leave_unless_asked_for_and_then_without_addresses(
    rig: Rig, collector: Collector, switch_on: Callable[..., None]
) -> None:
    conversation = await rig.begin(rig.cast.owner)
    rig.model.add(says("Hello Olivia."))
    await collector.of(await rig.ask(conversation, "hello"))
    silent = b"".join(request.SerializeToString() for request in collector.requests)
    assert b"olivia" not in silent.lower()
    switch_on(collector.endpoint, otel_instrumentation_genai_capture_message_content=True)
    rig.model.add(plans(PLAN), calls("lookup_order", {"order_number": "AP-100001"}), says("It has been delivered."))
    words = "I want to know everything about AP-100001; olivia.owner@example.com, card 4111 1111 1111 1111"
    found = await collector.of(await rig.ask(conversation, words))
    plan, chat, tool, answer = [attributes(span) for span in found[1:]]
    assert "[email], card [card]" in plan[names.INPUT_MESSAGES]
    assert "order status" in plan[names.OUTPUT_MESSAGES]
    assert '"type": "tool_call"' in chat[names.OUTPUT_MESSAGES]
    assert "AP-100001" in tool[names.TOOL_ARGUMENTS]
    assert "success" in tool[names.TOOL_RESULT]
    assert "tool_call_response" in answer[names.INPUT_MESSAGES]
    assert "It has been delivered." in answer[names.OUTPUT_MESSAGES]


async def test_the_next_turn_points_at_the_one_before(rig: Rig, collector: Collector) -> None:
    first = await looked_up(rig)
    conversation = await in_db(lambda: Turn.objects.select_related("conversation").get(pk=first.pk).conversation)
    second = await rig.ask(conversation, "thanks")
    [link] = (await collector.of(second))[0].links
    assert UUID(bytes=link.trace_id) == first.pk
    assert link.span_id == (await collector.of(first))[0].span_id


async def test_failed_calls_are_errors(rig: Rig, collector: Collector) -> None:
    conversation = await rig.begin()
    rig.model.add(*(fails(400, "invalid_request_error", "no") for _ in range(4)))
    turn = await rig.ask(conversation, "hello")
    assert turn.state == Turn.State.ESCALATED
    root, chat, *_ = await collector.of(turn)
    assert (chat.status.code, attributes(chat)[names.ERROR_TYPE]) == (chat.status.STATUS_CODE_ERROR, "rejected")
    assert attributes(root)[names.REASON] == "model_failing"
    assert root.status.code == root.status.STATUS_CODE_UNSET  # the turn did as it should


async def test_a_collector_that_is_away_changes_nothing(
    rig: Rig, switch_on: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    switch_on(f"http://127.0.0.1:{free_port()}")
    with caplog.at_level(logging.WARNING):
        turn = await looked_up(rig)
        assert turn.state == Turn.State.ANSWERED
        for number in range(3):
            rig.model.add(says("Hello."))
            conversation = await rig.begin()
            started = time.monotonic()
            await rig.ask(conversation, f"hello {number}")
            assert time.monotonic() - started < 5
        started = time.monotonic()
        telemetry.shutdown()
        assert time.monotonic() - started < telemetry.GOODBYE_S + 1
    said = [record for record in caplog.records if "telemetry" in record.message or "opentelemetry" in record.name]
    assert len(said) <= 1


async def test_a_fault_of_ours_in_telemetry_is_no_turns_concern(
    rig: Rig, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr("support_agent.telemetry.spans._chat", broken)
    assert (await looked_up(rig)).state == Turn.State.ANSWERED
    monkeypatch.setattr("support_agent.telemetry.spans._root", broken)
    assert (await looked_up(rig)).state == Turn.State.ANSWERED


def test_the_names_are_those_of_the_conventions() -> None:
    known = {getattr(gen_ai_attributes, name) for name in dir(gen_ai_attributes) if name.startswith("GEN_AI_")}
    ours = {value for name, value in vars(names).items() if name.isupper() and value.startswith("gen_ai.")}
    assert ours - known == {names.COST}
    documented = (ROOT / "docs" / "observability.md").read_text()
    assert all(f"`{value}`" in documented for name, value in vars(names).items() if name.isupper())


def test_while_it_is_off_nothing_of_it_is_imported() -> None:
    code = (
        "import django, sys; django.setup(); import support_agent.runtime.runner; from support_agent import telemetry; "
        "print(telemetry.is_on(), [m for m in sys.modules if 'otlp' in m or m.startswith('support_agent.telemetry.')])"
    )
    environment = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": "/usr/bin", "PYTHONPATH": str(ROOT),
                   "TEST_DATABASE_URL": settings.DATABASE_URL, "TEST_REDIS_URL": settings.REDIS_URL}  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False []"
