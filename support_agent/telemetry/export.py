"""Where spans go: OTLP over HTTP, in batches, from a thread of its own.

The provider is ours and not OpenTelemetry's global one: the SDK of the model's API emits spans of its own through the
global one, and every call would stand there twice. Whoever wants those sets a global provider.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextvars import ContextVar
from functools import cache
from importlib import metadata

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Tracer
from opentelemetry.util.re import parse_env_headers

from support_agent.env import env

log = logging.getLogger(__name__)
SCOPE = "support_agent"
QUEUE, BATCH, DELAY_MS, TIMEOUT_S = 4096, 512, 2000, 5.0
QUIET_S = 60.0

trace_id: ContextVar[int] = ContextVar("trace_id", default=0)
span_id: ContextVar[int] = ContextVar("span_id", default=0)


class ChosenIds(RandomIdGenerator):
    """The ids that `trace_id` and `span_id` name, else random ones."""

    def generate_trace_id(self) -> int:
        return trace_id.get() or super().generate_trace_id()

    def generate_span_id(self) -> int:
        return span_id.get() or super().generate_span_id()

    def is_trace_id_random(self) -> bool:
        return False


class CalmExporter(SpanExporter):
    """The exporter, whose failures are one line a minute: a collector that is away is no news every two seconds."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter, self._said_at, self._lost = exporter, float("-inf"), 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            result = self._exporter.export(spans)
        except Exception:
            result = SpanExportResult.FAILURE
        if result is not SpanExportResult.SUCCESS:
            self._lost += len(spans)
            if time.monotonic() - self._said_at > QUIET_S:
                log.warning("telemetry_not_exported", extra={"lost_spans": self._lost})
                self._said_at, self._lost = time.monotonic(), 0
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


@cache
def provider() -> TracerProvider:
    """One for the process, made at the first turn."""
    for name in ("opentelemetry.exporter", "opentelemetry.sdk"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # CalmExporter says it, once a minute
    exporter = OTLPSpanExporter(
        endpoint=f"{env.otel_exporter_otlp_endpoint}/v1/traces",
        headers=parse_env_headers(env.otel_exporter_otlp_headers.get_secret_value(), liberal=True),
        timeout=TIMEOUT_S,
    )
    made = TracerProvider(
        resource=Resource.create({"service.name": env.otel_service_name, "service.version": _version()}),
        id_generator=ChosenIds(),
        shutdown_on_exit=False,  # it would wait half a minute for a collector that is away
    )
    made.add_span_processor(BatchSpanProcessor(CalmExporter(exporter), QUEUE, DELAY_MS, BATCH))
    return made


@cache
def tracer() -> Tracer:
    return provider().get_tracer(SCOPE, _version())


def close() -> None:
    """Send what is left. Blocks for as long as the collector takes."""
    if provider.cache_info().currsize:
        provider().shutdown()


def _version() -> str:
    try:
        return metadata.version("support-agent")
    except metadata.PackageNotFoundError:
        return "0"
