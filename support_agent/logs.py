"""Logs: one JSON object a line (readable text with DEBUG), with the ids bound by whoever works, without secrets.

Bind ids where work begins: `structlog.contextvars.bind_contextvars(conversation_id=..., turn_id=...)`; every log line
of that request, socket or turn then carries them, whichever library wrote it.
"""

from __future__ import annotations

import re
import sys
from typing import Any

import structlog
from structlog.dev import plain_traceback
from structlog.typing import EventDict, Processor, WrappedLogger

from tickets.redaction import OUR_NUMBERS, without_personal

SECRET_KEYS = re.compile(r"(?i)authorization|cookie|password|passwd|secret|token$|api_?key|^code$")


def redacted(value: Any) -> Any:
    """A log value without secrets and personal data; containers keep their shape."""
    if isinstance(value, str):
        return without_personal(value)
    if isinstance(value, dict):
        return {key: _by_key(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float) else redacted(str(value))


def _by_key(key: str, value: Any) -> Any:
    if key == "exc_info":
        return value  # the console formats it later, and only with DEBUG
    if OUR_NUMBERS.search(key) and isinstance(value, str):
        return value
    hidden = SECRET_KEYS.search(key) and isinstance(value, str | bytes) and value
    return "[redacted]" if hidden else redacted(value)


def redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The structlog processor: every field of a line, the traceback included."""
    return {key: _by_key(key, value) for key, value in event.items()}


def logging_settings(*, level: str, pretty: bool) -> dict[str, Any]:
    """Django's LOGGING, with every library's lines through the same processors; also configures structlog."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared[:3], shared[4], structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: list[Processor] = (
        [redact_event, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain_traceback)]
        if pretty
        else [structlog.processors.format_exc_info, redact_event, structlog.processors.JSONRenderer(default=str)]
    )
    quiet = {key: {"level": "WARNING"} for key in ("asyncio", "daphne", "httpx2", "psycopg.pool", "rq", "twisted")}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
                "foreign_pre_chain": shared,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            **quiet,
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            # The request's own line has the status: a 403 or a scanner's host name is no traceback's worth.
            "django.request": {"level": "ERROR"},
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            "rq.worker": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        },
    }
