"""The one way to enqueue a job: after commit, with retries; a Redis failure is logged, the sweep repairs it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import django_rq
from django.db import transaction
from rq import Retry

log = logging.getLogger(__name__)
_is_dropping = False


def enqueue(job: Callable[..., Any], *args: Any, queue: str = "default") -> None:
    """Run `job(*args)` in the worker once the running transaction has committed. Arguments are ids, as strings."""

    def send() -> None:
        if _is_dropping:
            return
        try:
            django_rq.get_queue(queue).enqueue(job, *args, retry=Retry(max=5, interval=[5, 30, 120, 600, 1800]))
        except Exception:
            log.warning("enqueue_failed", exc_info=True, extra={"job": job.__name__})

    transaction.on_commit(send)


@contextmanager
def jobs_dropped() -> Iterator[None]:
    """Nothing is enqueued by this process meanwhile: for rehearsals in a database that no worker sees."""
    global _is_dropping
    _is_dropping = True
    try:
        yield
    finally:
        _is_dropping = False
