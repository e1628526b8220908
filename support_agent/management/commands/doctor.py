"""What is configured, reachable and missing."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.core.validators import validate_email

from support_agent.doctor import Finding, examine, examine_live
from support_agent.management.base import OpsCommand

MARKS = {"ok": "✓", "note": "·", "missing": "✗"}


class Command(OpsCommand):
    help = "Tells what is configured, reachable and missing, each with its mend; exit code 1 when something is missing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--live", action="store_true", help="whether customers may come: all of it, strictly")
        parser.add_argument("--ask-model", action="store_true", help="with --live: one tiny paid call of each model")
        parser.add_argument("--send-mail", metavar="ADDRESS", default="", help="with --live: one mail to this address")

    def handle(self, *args: Any, live: bool, ask_model: bool, send_mail: str, **options: Any) -> None:
        if (ask_model or send_mail) and not live:
            raise CommandError("--ask-model and --send-mail go with --live", returncode=2)
        try:
            if send_mail:
                validate_email(send_mail)
        except ValidationError:
            raise CommandError(f"{send_mail!r} is no e-mail address", returncode=2) from None
        findings = list(examine_live(ask_model=ask_model, send_mail=send_mail) if live else examine())
        ok = all(finding.state != "missing" for finding in findings)
        if options["json"]:
            self.print_json({"ok": ok, "checks": [asdict(finding) for finding in findings]})
        else:
            self._print(findings, live)
        if not ok:
            sys.exit(1)

    def _print(self, findings: list[Finding], live: bool) -> None:
        width = max(len(finding.name) for finding in findings) if live else 11
        for finding in findings:
            line = f"{MARKS[finding.state]} {finding.name:<{width}} {finding.detail}"
            self.stdout.write(f"{line} → {finding.mend}" if finding.mend and finding.state != "ok" else line)
        missing = sum(finding.state == "missing" for finding in findings)
        if live:
            self.stdout.write(f"{missing} things are missing" if missing else "nothing is missing: customers may come")
