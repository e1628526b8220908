"""The scheduler: what happens by the clock (`cron.py`), through every absence of Redis."""

from __future__ import annotations

import time

import structlog
from django_rq.cron import DjangoCronScheduler
from redis import RedisError
from rq.exceptions import SchedulerNotFound, StopRequested

log = structlog.get_logger(__name__)
PAUSE_S = 1.0


class SteadyScheduler(DjangoCronScheduler):
    """Where django-rq's own ends with the first lost connection, this one waits and goes on; what is due comes then."""

    def start(self) -> None:
        told = False
        while True:
            try:
                super().start()  # type: ignore[no-untyped-call]
                return  # asked to stop
            except (RedisError, OSError) as error:
                if not told:
                    log.warning("scheduler_lost_redis", error=str(error).splitlines()[0])
                told = True
            except (StopRequested, SchedulerNotFound):
                return  # while it waited, or while Redis had forgotten it
            try:
                time.sleep(PAUSE_S)
            except StopRequested:
                return
