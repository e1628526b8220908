"""`manage.py backup FILE|DIR`: database and uploads in one archive; `--check` restores one for a trial."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from support_agent.backup.make import archives, backup, name_of_now
from support_agent.backup.programs import BackupError
from support_agent.backup.restore import check
from support_agent.management.base import OpsCommand


class Command(OpsCommand):
    help = (
        "Writes database and uploads into one archive, or checks one by restoring it into a throw-away database. Exit "
        "codes: 0 done; 1 it failed, or the check found differences; 2 a wrong argument."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", help="the archive to write, or a folder, in which it is named by the time")
        parser.add_argument("--check", action="store_true", help="restore this archive, or a folder's newest, on trial")
        parser.add_argument("--keep", type=int, metavar="N", help="of a folder's archives, delete all but the newest N")
        parser.add_argument("--with-secrets", action="store_true", help="put SECRET_KEY and IDENTITY_SECRET in as well")

    def handle(self, *args: Any, path: str, **options: Any) -> None:
        began = time.monotonic()
        target, keep = Path(path), options["keep"]
        in_folder = path.endswith("/") or target.is_dir()
        if keep is not None and (keep < 1 or not in_folder or options["check"]):
            raise CommandError("--keep takes 1 or more, with a folder to write into", returncode=2)
        if not (target if in_folder else target.parent).is_dir():
            raise CommandError(f"there is no folder {target if in_folder else target.parent}", returncode=2)
        try:
            if options["check"]:
                self._check(target, in_folder, options["json"])
            else:
                file = target / name_of_now() if in_folder else target
                self._make(file, keep, options, began)
        except BackupError as error:
            raise CommandError(str(error), returncode=1) from None

    def _make(self, file: Path, keep: int | None, options: dict[str, Any], began: float) -> None:
        manifest = backup(file, with_secrets=options["with_secrets"], say=self._say(options["json"]))
        deleted = archives(file.parent)[keep:] if keep else []
        for old in deleted:
            old.unlink()
        seconds, size = round(time.monotonic() - began, 1), file.stat().st_size
        report = {"file": str(file), "bytes": size, "seconds": seconds, "deleted": [str(old) for old in deleted]}
        if options["json"]:
            known = ("made_at", "postgresql", "tables", "gaps", "uploads", "with_secrets")
            return self.print_json(report | {name: manifest[name] for name in known})
        gone = f"; {len(deleted)} older ones deleted" if deleted else ""
        self.stdout.write(f"{file}: {size / 1_000_000:.1f} MB in {seconds} s{gone}")

    def _check(self, target: Path, in_folder: bool, as_json: bool) -> None:
        found = archives(target) if in_folder else [target] if target.is_file() else []
        if not found:
            raise CommandError(f"{target} {'holds no backup' if in_folder else 'is no file'}", returncode=2)
        report = {"file": str(found[0]), **check(found[0], self._say(as_json))}
        if as_json:
            self.print_json(report)
        elif not report["differences"]:
            self.stdout.write(f"{found[0]}: whole; the copy is what was backed up at {report['made_at']}")
        if report["differences"]:
            raise CommandError("the copy is not what was backed up: " + "; ".join(report["differences"]), returncode=1)

    def _say(self, as_json: bool) -> Any:
        return (lambda _: None) if as_json else self.stderr.write
