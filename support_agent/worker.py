"""The worker of the queues."""

from __future__ import annotations

from typing import Any

from rq import Worker


class BeatingWorker(Worker):
    """Shows a sign of life every 15 seconds, where rq's own default is seven minutes: /readyz goes by it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "worker_ttl": 30})
