"""django-rq's workers, over all our queues when none is named."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.conf import settings

pool = import_module("django_rq.management.commands.rqworker-pool")


class Command(pool.Command):  # type: ignore[misc, name-defined]
    def handle(self, *queues: str, **options: Any) -> None:
        super().handle(*(queues or settings.RQ_QUEUES), **options)
