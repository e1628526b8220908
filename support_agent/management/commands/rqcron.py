"""django-rq's scheduler, with our own schedule when none is named, and through every absence of Redis."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django_rq.management.commands import rqcron

from support_agent.scheduler import SteadyScheduler


class Command(rqcron.Command):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        schedule = next(action for action in parser._actions if action.dest == "config_path")
        schedule.nargs, schedule.default, schedule.required = "?", "support_agent.cron", False

    def handle(self, *args: Any, **options: Any) -> None:
        rqcron.DjangoCronScheduler = SteadyScheduler  # type: ignore[attr-defined]  # django-rq asks for no scheduler's class
        super().handle(*args, **options)
