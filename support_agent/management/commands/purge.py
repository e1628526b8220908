"""`manage.py purge`: let go of what was kept long enough."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from support_agent.management.base import OpsCommand
from support_agent.privacy.retention import days_kept, purge


class Command(OpsCommand):
    help = "Empties or deletes what is older than its retention (docs/privacy.md); safe to run at any time."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        counts = purge(dry_run=dry_run)
        if options["json"]:
            self.print_json({"dry_run": dry_run, "days": days_kept(), "counts": counts})
            return
        days = days_kept()
        self.stdout.write(
            "\n".join(f"{kind:<14}{number:>9}  after {days[kind]} days" for kind, number in counts.items())
        )
