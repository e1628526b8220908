"""The one way to enqueue a job. Its row is written in the transaction that wants it, and goes when the job is done.

Redis only carries the row's id to a worker. What Redis or a worker loses the sweep asks for again (`jobs_recover`), so
each job runs at least once, and is safe to run twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from functools import cache, partial
from typing import Any, TypeVar

import django_rq
import redis
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.module_loading import import_string
from rq import Retry
from rq.job import JobStatus

from tickets.models import Job

log = logging.getLogger(__name__)
PAUSES_S = (5, 30, 120, 600, 1800)  # after each failure; the last one again and again
MAX_ATTEMPTS = 24  # most of a day; then it stays as its row for staff to look at
LOST = timedelta(minutes=2)  # nobody began it
LEASES = {"long": timedelta(minutes=6)}  # nobody ended it: longer than a job of its queue takes
LEASE = timedelta(minutes=2)
KEPT = timedelta(days=30)  # what was given up
REDIS_S = 2.0  # whoever enqueues has something else to do than to wait for Redis
Function = TypeVar("Function", bound=Callable[..., Any])
running: ContextVar[str] = ContextVar("running", default="")
"""The id of the job that runs here."""
_is_dropping = False


def lasts(seconds: float) -> Callable[[Function], Function]:
    """Marks a job that may take longer than the others of its queue."""

    def mark(function: Function) -> Function:
        function.lasts = seconds  # type: ignore[attr-defined]
        return function

    return mark


def enqueue(job: Callable[..., Any], *args: Any, queue: str = "default", name: str = "") -> None:
    """Run `job(*args)` in the worker once the running transaction has committed. Arguments are ids, as strings.

    With a `name`, nothing happens while one of that name waits or runs. Jobs of minutes belong in the queue `long`.
    """
    if _is_dropping:
        return
    row = Job(
        function=f"{job.__module__}.{job.__qualname__}",
        arguments=list(args),
        queue=queue,
        name=name,
        due_at=timezone.now() + LOST,
    )
    Job.objects.bulk_create([row], ignore_conflicts=bool(name))
    transaction.on_commit(partial(_send, row))


def run_job(job_id: str) -> None:
    """What a worker runs: the job of this row, unless it is done or somebody does it. Raises what the job raises."""
    now = timezone.now()
    row = Job.objects.filter(pk=job_id).first()
    mine = Job.objects.filter(Q(is_running=False) | Q(due_at__lte=now), pk=job_id)
    if row is None or not mine.update(is_running=True, due_at=now + _lease(row), attempts=F("attempts") + 1):
        return
    token = running.set(job_id)
    try:
        import_string(row.function)(*row.arguments)
    except Exception as error:
        pause = PAUSES_S[min(row.attempts, len(PAUSES_S) - 1)]
        Job.objects.filter(pk=job_id).update(
            is_running=False,
            due_at=timezone.now() + timedelta(seconds=pause) + LOST,
            error=type(error).__name__,  # its words may hold an address; RQ keeps the traceback for a while
        )
        raise
    finally:
        running.reset(token)
    Job.objects.filter(pk=job_id).delete()


def jobs_recover() -> int:
    """Ask again for what was lost, with its worker or with Redis; how many. Forgets what was given up long ago."""
    now = timezone.now()
    Job.objects.filter(attempts__gte=MAX_ATTEMPTS, created_at__lt=now - KEPT).delete()
    lost = Job.objects.filter(due_at__lte=now, attempts__lt=MAX_ATTEMPTS)
    found = 0
    for row in lost.order_by("due_at")[:200]:
        if lost.filter(pk=row.pk).update(is_running=False, due_at=now + LOST):  # of two sweeps, one does it
            _send(row, again=True)
            found += 1
    return found


def _send(row: Job, *, again: bool = False) -> None:
    """Tell the workers. A Redis that is away is only logged: the sweep tells them later."""
    if _is_dropping:
        return
    try:
        queue = django_rq.get_queue(row.queue, connection=_redis())
        if again and _waits(queue, str(row.pk)):
            return  # the workers have much to do
        left = len(PAUSES_S) - row.attempts
        queue.enqueue(
            run_job,
            str(row.pk),
            job_id=str(row.pk),
            description=str(row),
            retry=Retry(max=left, interval=list(PAUSES_S[-left:])) if left > 0 else None,
            job_timeout=_lasts(row),
        )
    except Exception:
        log.warning("enqueue_failed", exc_info=True, extra={"job": row.function})


def _lasts(row: Job) -> int | None:
    """How many seconds the row's job may take; None: as its queue says."""
    seconds: float | None = getattr(import_string(row.function), "lasts", None)
    return None if seconds is None else int(seconds)


def _lease(row: Job) -> timedelta:
    seconds = _lasts(row)
    return LEASES.get(row.queue, LEASE) if seconds is None else timedelta(seconds=seconds + 60)


def _waits(queue: Any, job_id: str) -> bool:
    """Whether a worker will come to it. One killed with a job in its hands leaves it marked as queued, in no queue."""
    known = queue.fetch_job(job_id)
    if known is None:
        return False
    status = known.get_status()
    return status == JobStatus.SCHEDULED or (status == JobStatus.QUEUED and job_id in queue.get_job_ids())


@cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=REDIS_S, socket_connect_timeout=REDIS_S)


@contextmanager
def jobs_dropped() -> Iterator[None]:
    """Nothing is enqueued by this process meanwhile: for rehearsals in a database that no worker sees."""
    global _is_dropping
    _is_dropping = True
    try:
        yield
    finally:
        _is_dropping = False
