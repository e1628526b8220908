"""One attempt at one turn as spans. A span is made when its step is over, with the time at which it began.

The trace's id is the turn's id, so that either finds the other; the first attempt's span has the id's lower half, so
that the next turn of the conversation can point at it.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import wraps
from typing import Any, ParamSpec
from uuid import UUID

from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from support_agent.agent.types import StepKind, StepRecord, TurnState
from support_agent.env import env
from support_agent.logs import redacted
from support_agent.telemetry import TurnFacts, names
from support_agent.telemetry.content import messages_in, messages_out
from support_agent.telemetry.export import span_id, trace_id, tracer

P = ParamSpec("P")
log = logging.getLogger(__name__)
AGENT = "support-assistant"
MODEL_KINDS = {StepKind.PLAN, StepKind.MODEL_CALL, StepKind.COMPRESS}
FAILED = {"failed", "cut", "error"}
MS = 1_000_000
MOST = 16_000  # characters of one attribute


def _never_raises(method: Callable[P, None]) -> Callable[P, None]:
    """Telemetry's faults are telemetry's own."""

    @wraps(method)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            method(*args, **kwargs)
        except Exception:
            log.warning("telemetry_failed", exc_info=True)

    return guarded


class SpannedTurn:
    """A TurnTrace whose spans go to the collector."""

    def __init__(self, facts: TurnFacts) -> None:
        self._shared = {names.CONVERSATION: str(facts.conversation_id), names.SESSION: str(facts.conversation_id)}
        if facts.customer_id is not None:
            self._shared[names.USER] = str(facts.customer_id)
        self._cost, self._tokens, self._steps, self._is_over = Decimal(0), 0, 0, False
        self._state: TurnState | None = None
        self._root = _root(facts, self._shared)
        self._context = set_span_in_context(self._root, Context())

    @_never_raises
    def steps(self, records: Sequence[StepRecord], state: TurnState) -> None:
        now = time.time_ns()
        self._state = state
        began = now - max((record.duration_ms for record in records), default=0) * MS  # tools ran side by side
        for record in records:
            self._cost += record.spend.cost_usd
            self._tokens += record.spend.usage.total
            self._steps += 1
            if record.kind in MODEL_KINDS and record.model:
                self._child(f"chat {record.model}", SpanKind.CLIENT, _chat(record), record, began)
            elif record.kind is StepKind.TOOL_CALL:
                self._child(f"execute_tool {record.tool}", SpanKind.INTERNAL, _tool(record), record, began)
            else:
                self._root.add_event(record.kind.value, _event(record), now)

    @_never_raises
    def prompt(self, version: str) -> None:
        self._root.set_attribute(names.AGENT_VERSION, version)

    @_never_raises
    def end(self, state: str, *, reason: str = "", error: str = "") -> None:
        if self._is_over:
            return
        self._is_over = True
        root = self._root
        root.set_attributes(
            {
                names.STATE: state,
                names.TURN_COST: float(self._cost),
                names.TURN_TOKENS: self._tokens,
                names.TURN_STEPS: self._steps,
            }
        )
        if self._state is not None:
            root.set_attribute(names.PATH, self._state.path)
            root.set_attribute(names.TOPIC, str(redacted((self._state.plan or {}).get("topic", ""))))
            if self._state.confidence is not None:
                root.set_attribute(names.CONFIDENCE, self._state.confidence)
        if reason:
            root.set_attribute(names.REASON, reason)
        if state == "failed":
            root.set_attribute(names.ERROR_TYPE, error.partition(":")[0] or "failed")
            root.set_status(Status(StatusCode.ERROR, _short(error)))
        root.end()

    def _child(self, name: str, kind: SpanKind, attributes: dict[str, Any], record: StepRecord, began: int) -> None:
        span = tracer().start_span(
            name,
            self._context,
            kind,
            {**self._shared, **attributes, names.STEP: record.index, names.STEP_KIND: record.kind.value,
             names.STEP_STATUS: record.status},
            start_time=began,
        )  # fmt: skip
        if record.status in FAILED:
            span.set_attribute(names.ERROR_TYPE, record.error.partition(":")[0] or record.status)
            span.set_status(Status(StatusCode.ERROR, _short(record.error)))
        span.end(began + record.duration_ms * MS)


def _root(facts: TurnFacts, shared: dict[str, str]) -> Span:
    """The turn's own span, in a trace named after the turn; a later attempt is another span of the same trace."""
    links = [Link(_context_of(facts.previous), {names.TURN: str(facts.previous)})] if facts.previous else None
    trace, span = trace_id.set(facts.turn_id.int), span_id.set(_span_id(facts.turn_id) if facts.attempt <= 1 else 0)
    try:
        return tracer().start_span(
            f"invoke_agent {AGENT}",
            Context(),
            SpanKind.INTERNAL,
            {
                **shared,
                names.OPERATION: "invoke_agent",
                names.PROVIDER: "anthropic",
                names.AGENT: AGENT,
                names.TURN: str(facts.turn_id),
                names.ATTEMPT: facts.attempt,
                names.SURFACE: facts.surface,
            },
            links=links,
        )
    finally:
        trace_id.reset(trace)
        span_id.reset(span)


def _chat(record: StepRecord) -> dict[str, Any]:
    usage = record.spend.usage
    found: dict[str, Any] = {
        names.OPERATION: "chat",
        names.PROVIDER: "anthropic",
        names.REQUEST_MODEL: record.model,
        names.RESPONSE_MODEL: record.model,
        names.OUTPUT_TYPE: "json" if record.kind is StepKind.PLAN else "text",
        names.INPUT_TOKENS: usage.prompt_tokens,
        names.OUTPUT_TOKENS: usage.output_tokens,
        names.CACHE_READ_TOKENS: usage.cache_read_tokens,
        names.CACHE_WRITE_TOKENS: usage.cache_write_tokens,
        names.COST: float(record.spend.cost_usd),
    }
    if record.spend.estimated:
        found[names.COST_ESTIMATED] = True
    if record.ttft_ms is not None:
        found[names.FIRST_CHUNK_S] = record.ttft_ms / 1000
    if stopped := record.output.get("stop_reason"):
        found[names.FINISH_REASONS] = [str(stopped)]
    if env.otel_instrumentation_genai_capture_message_content:
        found[names.INPUT_MESSAGES] = _content(messages_in(record))
        found[names.OUTPUT_MESSAGES] = _content(messages_out(record))
    return found


def _tool(record: StepRecord) -> dict[str, Any]:
    found: dict[str, Any] = {names.OPERATION: "execute_tool", names.TOOL: record.tool, names.TOOL_TYPE: "function"}
    if env.otel_instrumentation_genai_capture_message_content:
        found[names.TOOL_ARGUMENTS] = _content(record.input)
        found[names.TOOL_RESULT] = _content(record.output)
    return found


def _event(record: StepRecord) -> dict[str, Any]:
    """What code decided: the rule or the critic's issues by name, none of their words."""
    found: dict[str, Any] = {names.STEP: record.index, names.STEP_STATUS: record.status}
    if issues := [str(issue.get("code", "")) for issue in record.output.get("issues", []) if isinstance(issue, dict)]:
        found[names.ISSUES] = issues
    for field, name in (("rule", names.RULE), ("reason", names.EVENT_REASON)):
        if isinstance(value := record.output.get(field), str) and value:
            found[name] = value[:100]
    return found


def _context_of(turn_id: UUID) -> SpanContext:
    return SpanContext(turn_id.int, _span_id(turn_id), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _span_id(turn_id: UUID) -> int:
    return turn_id.int & 0xFFFF_FFFF_FFFF_FFFF


def _short(error: str) -> str:
    return str(redacted(error))[:200]


def _content(value: Any) -> str:
    """As JSON, without secrets, card numbers and whole addresses."""
    return json.dumps(redacted(value), ensure_ascii=False, default=str)[:MOST]
