"""`manage.py import_customers FILE.csv`: a company's customers, as often as it likes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from rich.progress import Progress

from support_agent.management.base import OpsCommand
from support_agent.management.commands.import_articles import tell
from support_agent.privacy.subject import email_hash
from tickets.imports.customers import COLUMNS, EXAMPLE, REQUIRED, import_customers
from tickets.imports.report import Report
from tickets.imports.rows import Row, WrongFile, read_rows
from tickets.models import ErasureRequest


class Command(OpsCommand):
    help = f"Import customers from a CSV file. Columns: {', '.join(COLUMNS)}; {', '.join(REQUIRED)} are needed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, nargs="?")
        parser.add_argument("--example", action="store_true", help="print a file to begin with")
        parser.add_argument("--overwrite", action="store_true", help="take the source's over what was changed here")
        parser.add_argument("--dry-run", action="store_true", help="write nothing, print the same report")
        parser.add_argument("--report", type=Path, metavar="FILE", help="write the whole report, as JSON")

    def handle(self, *args: Any, file: Path | None, example: bool, dry_run: bool, **options: Any) -> None:
        if example:
            self.stdout.write(EXAMPLE, ending="")
            return
        if file is None:
            raise CommandError("give a CSV file, or --example", returncode=2)
        began, told = time.monotonic(), Report("Customers", file.name, dry_run)
        rows = rows_of(file, REQUIRED, COLUMNS)
        erased = set(ErasureRequest.objects.values_list("email_hash", flat=True))
        with Progress(disable=options["json"] or not self.stdout.isatty()) as progress:
            task = progress.add_task("Customers", total=len(rows))
            import_customers(
                rows,
                file=file.name,
                report=told,
                overwrite=options["overwrite"],
                is_erased=lambda email: email_hash(email) in erased,
                step=lambda count: progress.advance(task, count),
            )
        told.seconds = time.monotonic() - began
        tell(self, told, as_json=options["json"], file=options["report"])


def rows_of(file: Path, required: tuple[str, ...], known: tuple[str, ...]) -> list[Row]:
    """All rows of a CSV file. Raises CommandError for a file that cannot be used as a whole."""
    try:
        return list(read_rows(file, required=required, known=known))
    except WrongFile as problem:
        raise CommandError(str(problem), returncode=2) from None
