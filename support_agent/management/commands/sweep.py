"""Resume or fail what a dead process left."""

from __future__ import annotations

from typing import Any

from support_agent.management.base import OpsCommand
from support_agent.privacy.erase import erasures_resume
from support_agent.runtime.recovery import sweep


class Command(OpsCommand):
    help = "Repairs what lost jobs and dead processes left; safe to run at any time."

    def handle(self, *args: Any, **options: Any) -> None:
        swept = {**sweep().as_json(), "erasures": erasures_resume()}
        if options["json"]:
            self.print_json(swept)
        else:
            self.stdout.write("\n".join(f"{name.replace('_', ' ')}: {count}" for name, count in swept.items()))
