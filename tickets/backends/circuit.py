"""A breaker for one process: after some failures in a row nothing is tried for a while, then one call probes."""

from __future__ import annotations

import time
from threading import Lock

FAILURES, PAUSE_S = 5, 10.0


class Circuit:
    """Safe in threads. `note` is told how each call that was let through ended."""

    def __init__(self, *, failures: int = FAILURES, pause_s: float = PAUSE_S) -> None:
        self._limit, self._pause_s = failures, pause_s
        self._failures, self._closed_at = 0, 0.0
        self._lock = Lock()

    def may_call(self) -> bool:
        """True while all is well; of those who come after a pause, the first goes and the others wait another one."""
        with self._lock:
            if self._failures < self._limit:
                return True
            now = time.monotonic()
            if now < self._closed_at:
                return False
            self._closed_at = now + self._pause_s
            return True

    def note(self, *, failed: bool) -> None:
        with self._lock:
            self._failures = self._failures + 1 if failed else 0
            if failed:
                self._closed_at = time.monotonic() + self._pause_s
