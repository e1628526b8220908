"""The worker of the queues."""

from __future__ import annotations

from typing import Any

from rq import Worker
from rq.worker_registration import REDIS_WORKER_KEYS


class BeatingWorker(Worker):
    """Shows a sign of life every 15 seconds, where rq's own default is seven minutes: /readyz goes by it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "worker_ttl": 30})

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """The sign of life; a Redis that was emptied meanwhile is told anew who works."""
        super().heartbeat(timeout, pipeline)
        if pipeline is None and not self.connection.sismember(REDIS_WORKER_KEYS, self.key):
            self.connection.delete(self.key)  # what is left of the old entry would count as another worker
            self.register_birth()  # type: ignore[no-untyped-call]
