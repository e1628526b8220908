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

SECRET_KEYS = re.compile(r"(?i)authorization|cookie|password|passwd|secret|token$|api_?key|^code$")
SECRET_TEXTS = (
    (re.compile(r"(?i)(bearer\s+)[\w.~+/=-]{8,}"), r"\1[redacted]"),
    (re.compile(r"(?i)([?&](?:token|code|key|password|signature)=)[^&\s\"']+"), r"\1[redacted]"),
    (re.compile(r"\bsk-[\w-]{8,}"), "[redacted]"),
    (re.compile(r"(\w+://[^\s:/@]*:)[^\s@/]+@"), r"\1[redacted]@"),
    (re.compile(r"\b([\w.+-])[\w.+-]*@([\w-]+\.[\w.-]+)"), r"\1…@\2"),
)
CARD = re.compile(r"\b(?:\d[ -]?){12,18}\d\b")


def redacted(value: Any) -> Any:
    """A log value without secrets, card numbers and addresses; containers keep their shape."""
    if isinstance(value, str):
        for pattern, replacement in SECRET_TEXTS:
            value = pattern.sub(replacement, value)
        return CARD.sub(_card, value)
    if isinstance(value, dict):
        return {key: _by_key(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float) else redacted(str(value))


def _by_key(key: str, value: Any) -> Any:
    if key == "exc_info":
        return value  # the console formats it later, and only with DEBUG
    hidden = SECRET_KEYS.search(key) and isinstance(value, str | bytes) and value
    return "[redacted]" if hidden else redacted(value)


def _card(match: re.Match[str]) -> str:
    digits = [int(char) for char in match[0] if char.isdigit()][::-1]
    total = sum(digits[::2]) + sum(digit * 2 - 9 * (digit > 4) for digit in digits[1::2])
    return match[0] if total % 10 else "[card]"


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
