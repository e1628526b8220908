"""django-rq's workers. When no queue is named they serve all of ours: long jobs and evaluations have one each."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.conf import settings

from support_agent.worker import DeskPool

pool = import_module("django_rq.management.commands.rqworker-pool")


class Command(pool.Command):  # type: ignore[misc, name-defined]
    def handle(self, *queues: str, **options: Any) -> None:
        if not queues:
            pool.WorkerPool = DeskPool  # type: ignore[attr-defined]  # django-rq asks for no pool's class
        super().handle(*(queues or settings.RQ_QUEUES), **options)
