"""What went wrong with one attempt, in the engine's closed set of kinds, and when to try again.

rejected         a 4xx that asking again cannot mend: our request, our key, our credit
rate_limited     429
overloaded       529
server           any other 5xx, and a 409
timeout          no first event, or no end, in time
connection       nothing came back at all
broken_stream    a stream that ended before the message did
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import aiohttp
import httpx2

BACKOFF_FIRST_S = 0.5
_BROKE = (httpx2.ReadError, httpx2.WriteError, httpx2.RemoteProtocolError, aiohttp.ClientOSError)
_BY_STATUS = {408: "timeout", 409: "server", 429: "rate_limited", 504: "timeout", 529: "overloaded"}
_BY_TYPE = {
    "overloaded_error": "overloaded",
    "rate_limit_error": "rate_limited",
    "timeout_error": "timeout",
    "api_error": "server",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One failed attempt; `detail` starts with the HTTP status where there was one, so that 401 and 402 tell apart."""

    kind: str
    detail: str
    retry_after_s: float | None = None
    final: bool = False  # the server said that asking again is of no use
    lost: bool = False  # the request went out, and the line broke: what came of it, and its cost, is not known

    @property
    def retryable(self) -> bool:
        return self.kind != "rejected" and not self.final

    def wait_s(self, attempt: int, *, cap_s: float, jitter: float) -> float:
        """Seconds before the attempt after the `attempt`-th (from 1); `jitter` is random in 0..1."""
        backoff = BACKOFF_FIRST_S * 2 ** (attempt - 1) * (0.5 + jitter / 2)
        return float(min(max(backoff, self.retry_after_s or 0.0), cap_s))


class Broken(Exception):
    """An attempt that failed, with its fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.detail)
        self.fault = fault


def classify(error: Exception, *, streaming: bool) -> Fault:
    """The fault behind an error of the SDK or its transport; `streaming` once the response had begun."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and (status >= 400 or getattr(error, "type", None)):
        return _of_status(error, status)
    causes = list(_causes(error))
    detail = " / ".join(f"{type(cause).__name__}: {cause}" for cause in causes)[:500]
    if any(isinstance(cause, (httpx2.TimeoutException, TimeoutError)) for cause in causes):
        return Fault("timeout", detail)
    # The transport calls a line that broke before the answer a ConnectError too; aiohttp tells the two apart.
    reached = not any(isinstance(cause, aiohttp.ClientConnectorError) for cause in causes)
    lost = reached and any(isinstance(cause, _BROKE) for cause in causes)
    return Fault("broken_stream" if streaming else "connection", detail, lost=lost)


def _of_status(error: Exception, status: int) -> Fault:
    """An error response, or an `error` event after the 200: then its type decides."""
    kind_of_error = getattr(error, "type", None) or ""
    by_type = _BY_TYPE.get(kind_of_error, "rejected" if kind_of_error.startswith("invalid") else "server")
    by_status = _BY_STATUS.get(status) or ("server" if status >= 500 else "rejected")
    message = getattr(error, "api_message", None) or str(error)
    headers = error.response.headers if hasattr(error, "response") else httpx2.Headers()
    return Fault(
        kind=by_type if status < 400 else by_status,
        detail=f"{status} {kind_of_error}: {message}"[:500],
        retry_after_s=_retry_after(headers),
        final=headers.get("x-should-retry") == "false",
    )


def _retry_after(headers: httpx2.Headers) -> float | None:
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:  # absent, or a date: our own backoff then
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
