"""django-rq's scheduler, with our own schedule when none is named."""

from __future__ import annotations

from django.core.management.base import CommandParser
from django_rq.management.commands import rqcron


class Command(rqcron.Command):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        schedule = next(action for action in parser._actions if action.dest == "config_path")
        schedule.nargs, schedule.default, schedule.required = "?", "support_agent.cron", False
