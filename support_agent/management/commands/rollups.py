"""`manage.py rollups`: bring the sums of the dashboards up to date, or make them all anew."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from support_agent.management.base import OpsCommand
from support_agent.runtime.rollups import rollups_rebuild, rollups_run


class Command(OpsCommand):
    help = "Sums the hours that have ended, as the worker does every five minutes. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rebuild", action="store_true", help="sum everything there is anew")

    def handle(self, *args: Any, rebuild: bool, **options: Any) -> None:
        summed = rollups_rebuild() if rebuild else rollups_run()
        if options["json"]:
            self.print_json({"hours": summed.hours, "days": summed.days, "upto": summed.upto.isoformat()})
            return
        upto = f"{summed.upto:%Y-%m-%d %H:%M} UTC"
        self.stdout.write(f"{summed.hours} hours and {summed.days} days summed; everything before {upto} is.")
