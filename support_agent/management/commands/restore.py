"""`manage.py restore FILE`: bring a backup back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from support_agent.backup.programs import BackupError
from support_agent.backup.restore import restore
from support_agent.env import Env
from support_agent.management.base import OpsCommand


class Command(OpsCommand):
    help = (
        "Brings a backup back: database and uploads, compared with what was backed up, migrated, and without whoever "
        "was erased since. Stop the processes first. Exit codes: 0 done; 1 refused or failed; 2 a wrong argument."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="an archive that manage.py backup wrote")
        parser.add_argument("--into", metavar="URL", default="", help="another database, for a look: no uploads then")
        parser.add_argument("--force", action="store_true", help="what that database holds is lost")

    def handle(self, *args: Any, file: str, into: str, force: bool, **options: Any) -> None:
        began = time.monotonic()
        try:
            Env._database(into)
        except ValueError:
            raise CommandError("--into takes postgresql://user:password@host:5432/name", returncode=2) from None
        if not Path(file).is_file():
            raise CommandError(f"{file} is no file", returncode=2)
        say = (lambda _: None) if options["json"] else self.stderr.write
        try:
            report = restore(Path(file), into=into, force=force, say=say)
        except BackupError as error:
            raise CommandError(str(error), returncode=1) from None
        report["seconds"] = round(time.monotonic() - began, 1)
        if options["json"]:
            self.print_json(report)
        else:
            self.stdout.write(f"restored as it was at {report['made_at']}, in {report['seconds']} s")
