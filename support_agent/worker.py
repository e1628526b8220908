"""The workers of the queues."""

from __future__ import annotations

from multiprocessing.process import BaseProcess
from typing import Any

from rq import Worker
from rq.worker_pool import WorkerPool
from rq.worker_registration import REDIS_WORKER_KEYS

# What the jobs work with, once, before a fork for each of them would load it.
from support_agent.runtime import alert_watch, recovery, rollups  # noqa: F401
from tickets.services import chasing, promise_chase, reply_mails  # noqa: F401

ALONE = ("long", "evals")  # jobs of minutes, and of hours


class BeatingWorker(Worker):
    """Shows a sign of life every 15 seconds, where rq's own default is seven minutes: /readyz goes by it.

    After an absence of Redis it is back within seconds, and with it what waits for its next try.
    """

    max_connection_wait_time = 5.0  # seconds; rq's own minute would go by after Redis is back

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "worker_ttl": 30})

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """The sign of life; a Redis that was emptied meanwhile is told anew who works."""
        super().heartbeat(timeout, pipeline)
        if pipeline is not None:
            return
        scheduler: Any = self.scheduler
        if scheduler and not (scheduler._process and scheduler._process.is_alive()):
            scheduler.acquire_locks(auto_start=True)  # rq itself looks after it every ten minutes
        if not self.connection.sismember(REDIS_WORKER_KEYS, self.key):
            self.connection.delete(self.key)  # what is left of the old entry would count as another worker
            self.register_birth()  # type: ignore[no-untyped-call]


class DeskPool(WorkerPool):
    """Serves all its queues. One worker more than asked for takes the long jobs and one the evaluations, so that no
    mail waits behind them, and no erasure behind an evaluation."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.num_workers += len(ALONE)
        self._takes = dict.fromkeys(ALONE, "")  # that worker's name

    def get_worker_process(self, name: str, *args: Any, **options: Any) -> BaseProcess:
        """One for each of those queues while it has none; the others take the rest."""
        served = self._queue_names
        lacking = next((queue for queue in ALONE if self._takes[queue] not in self.worker_dict), None)
        if lacking:
            self._takes[lacking], self._queue_names = name, [lacking]
        else:
            self._queue_names = [queue for queue in served if queue not in ALONE]
        try:
            return super().get_worker_process(name, *args, **options)
        finally:
            self._queue_names = served
