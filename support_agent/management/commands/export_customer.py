"""`manage.py export_customer <email>`: what we hold of a person, for whoever asks what that is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from support_agent.management.base import OpsCommand
from support_agent.privacy.access import held, packed
from support_agent.privacy.subject import subject_of


class Command(OpsCommand):
    help = "Prints everything held of an e-mail address as JSON; with --output, a ZIP file with the images they sent."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="whose data")
        parser.add_argument("--output", metavar="FILE", help="write there: a .zip with the images too, else the JSON")

    def handle(self, *args: Any, email: str, output: str | None, **options: Any) -> None:
        subject = subject_of(email)
        if not subject:
            raise CommandError(f"nothing is held of {email!r}", returncode=2)
        if output is None:
            return self.print_json(held(subject))
        path = Path(output)
        try:
            path.touch(mode=0o600)
            if path.suffix == ".zip":
                path.write_bytes(packed(subject))
            else:
                path.write_text(json.dumps(held(subject), indent=2, ensure_ascii=False, default=str))
        except OSError as problem:
            raise CommandError(f"{output!r} cannot be written: {problem.strerror}", returncode=2) from None
        if options["json"]:
            self.print_json({"written": str(path)})
        else:
            self.stdout.write(f"written to {path}")
