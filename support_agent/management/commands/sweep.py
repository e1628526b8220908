"""Resume or fail what a dead process left."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from support_agent.runtime.recovery import sweep


class Command(BaseCommand):
    help = "Repairs what lost jobs and dead processes left; safe to run at any time."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print the counts as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        swept = sweep().as_json()
        if options["json"]:
            self.stdout.write(json.dumps(swept))
        else:
            self.stdout.write("\n".join(f"{name.replace('_', ' ')}: {count}" for name, count in swept.items()))
