"""The worker and a Redis that forgets."""

from __future__ import annotations

import django_rq
from rq import Worker
from rq.worker_registration import REDIS_WORKER_KEYS

from support_agent.worker import BeatingWorker


def test_a_worker_whose_redis_was_emptied_is_known_again_at_its_next_beat() -> None:
    connection = django_rq.get_connection("default")
    worker = BeatingWorker(["default", "mail"], connection=connection)
    worker.register_birth()  # type: ignore[no-untyped-call]
    connection.srem(REDIS_WORKER_KEYS, worker.key)
    connection.delete(worker.key)
    worker.heartbeat()
    [known] = [other for other in Worker.all(connection=connection) if other.name == worker.name]
    assert set(known.queue_names()) == {"default", "mail"}
    worker.register_death()  # type: ignore[no-untyped-call]
