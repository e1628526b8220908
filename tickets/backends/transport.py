"""HTTP as the reference adapter speaks it: bounded in time and size, never to another place, its failures told apart by
whether the request had left."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

import httpx2
from django.utils.translation import gettext as _
from pydantic import ValidationError

from tickets.backends.circuit import Circuit
from tickets.backends.port import AnswerLost, Refused, Unreachable
from tickets.backends.wire import Problem
from tickets.db import release
from tickets.errors import DeskError, NotFound

log = logging.getLogger(__name__)
CONNECT_S, READ_S, WRITE_S = 2.0, 5.0, 10.0  # a whole exchange takes at most twice as long
MAX_BYTES, MAX_PART = 1024 * 1024, 200
NOT_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
    httpx2.InvalidURL,
)


def away() -> Unreachable:
    return Unreachable(_("Our order system could not be asked just now."))


def lost() -> AnswerLost:
    return AnswerLost(_("Our order system has not answered yet, so we do not know whether this was done."))


def path(*parts: str) -> str:
    """A path whose parts cannot be other parts; empty when one of them can be no id, so that nothing is there."""
    for part in parts:
        if not part or len(part) > MAX_PART or part in (".", ".."):
            return ""
    return "/".join(quote(part, safe="") for part in parts)


class _TooMuch(Exception):
    """An answer past its size or its time."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes

    @property
    def is_not_found(self) -> bool:
        """The shop's own word that there is none; any other 404 is a wrong address."""
        problem = self._problem()
        return self.status == 404 and problem is not None and problem.code == "not_found"

    def refusal(self) -> DeskError:
        """What a write that was not answered 200 means."""
        problem = self._problem()
        if self.status in (401, 429) or (self.status == 403 and problem is None):
            log.error("backend_write_refused", extra={"status": self.status})
            return away()  # nobody let it in
        in_progress = problem is not None and problem.code == "in_progress"
        if problem is None or in_progress or self.status == 408 or not 400 <= self.status < 500:
            log.error("backend_write_unclear", extra={"status": self.status})
            return lost()
        return NotFound() if self.is_not_found else Refused(problem.code, problem.message)

    def _problem(self) -> Problem | None:
        try:
            return Problem.model_validate_json(self.body)
        except ValidationError:
            return None


class Transport:
    """One shop's address, with its connections and its circuit. Safe in threads."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url.rstrip("/") + "/", token
        self._circuit = Circuit()

    @cached_property
    def _client(self) -> httpx2.Client:
        """Made at the first call, and so after any fork."""
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "support-agent"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        return httpx2.Client(
            base_url=self._url,
            headers=headers,
            follow_redirects=False,
            limits=httpx2.Limits(max_connections=64, max_keepalive_connections=16, keepalive_expiry=15.0),
        )

    def read(self, where: str, params: dict[str, str]) -> Answer:
        """Raises Unreachable, at once while the circuit is open."""
        if not self._circuit.may_call():
            raise away()
        try:
            answer = self._exchange("GET", where, READ_S, params=params)
        except (httpx2.HTTPError, httpx2.InvalidURL, _TooMuch) as problem:
            self._circuit.note(failed=True)
            log.warning("backend_unreachable", extra={"error": type(problem).__name__})
            raise away() from problem
        self._circuit.note(failed=answer.status >= 500 or answer.status == 429)
        return answer

    def write(self, method: str, where: str, body: dict[str, Any], key: str) -> Answer:
        """Raises Unreachable when nothing was sent, and AnswerLost for everything that goes wrong after."""
        try:
            return self._exchange(method, where, WRITE_S, json=body, headers={"Idempotency-Key": key})
        except NOT_SENT as problem:
            log.warning("backend_unreachable", extra={"error": type(problem).__name__})
            raise away() from problem
        except (httpx2.HTTPError, _TooMuch) as problem:
            log.warning("backend_answer_lost", extra={"error": type(problem).__name__})
            raise lost() from problem

    def _exchange(self, method: str, where: str, timeout_s: float, **sent: Any) -> Answer:
        release()
        until, body = time.monotonic() + 2 * timeout_s, bytearray()
        timeout = httpx2.Timeout(timeout_s, connect=CONNECT_S, pool=CONNECT_S)
        with self._client.stream(method, where, timeout=timeout, **sent) as response:
            for part in response.iter_bytes():
                body += part
                if len(body) > MAX_BYTES or time.monotonic() > until:
                    raise _TooMuch
            return Answer(response.status_code, bytes(body))
