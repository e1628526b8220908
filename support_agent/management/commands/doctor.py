"""What is configured, reachable and missing."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

from support_agent.doctor import examine
from support_agent.management.base import OpsCommand

MARKS = {"ok": "✓", "note": "·", "missing": "✗"}


class Command(OpsCommand):
    help = "Tells what is configured, reachable and missing, each with its mend; exit code 1 when something is missing."

    def handle(self, *args: Any, **options: Any) -> None:
        findings = examine()
        ok = all(finding.state != "missing" for finding in findings)
        if options["json"]:
            self.print_json({"ok": ok, "checks": [asdict(finding) for finding in findings]})
        else:
            for finding in findings:
                line = f"{MARKS[finding.state]} {finding.name:<11} {finding.detail}"
                self.stdout.write(f"{line} → {finding.mend}" if finding.mend and finding.state != "ok" else line)
        if not ok:
            sys.exit(1)
