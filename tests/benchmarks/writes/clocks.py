"""CPU of the database's side: all of the server's processes, and our own threads that call it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from tests.benchmarks.cpu import cpu_seconds


@dataclass(frozen=True, slots=True)
class DatabaseCpu:
    """Seconds so far: of the server with all its backends, and of this process's threads but the first.

    Event loops run in the first thread; whatever calls the ORM runs in others, in the product and in the plain way.
    """

    server: float
    threads: float

    @property
    def whole(self) -> float:
        return self.server + self.threads

    def since(self, before: DatabaseCpu) -> DatabaseCpu:
        return DatabaseCpu(self.server - before.server, self.threads - before.threads)


def database_cpu(server_pid: int) -> DatabaseCpu:
    return DatabaseCpu(cpu_seconds({"server": server_pid})["server"], _threads_s())


def _threads_s() -> float:
    first = threading.main_thread()
    clocks = [time.pthread_getcpuclockid(one.ident) for one in threading.enumerate() if one is not first and one.ident]
    return sum(map(time.clock_gettime, clocks))
