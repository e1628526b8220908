"""`manage.py import_orders FILE.csv --lines FILE.csv`: a company's orders, as often as it likes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from rich.progress import Progress

from support_agent.management.base import OpsCommand
from support_agent.management.commands.import_articles import tell
from support_agent.management.commands.import_customers import rows_of
from tickets.imports.orders import (
    COLUMNS,
    EXAMPLE,
    LINE_COLUMNS,
    LINE_REQUIRED,
    LINES_EXAMPLE,
    REQUIRED,
    import_orders,
)
from tickets.imports.report import Report


class Command(OpsCommand):
    help = (
        f"Import orders from CSV files. Columns: {', '.join(COLUMNS)}; {', '.join(REQUIRED)} are needed. "
        f"Of --lines: {', '.join(LINE_COLUMNS)}."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, nargs="?")
        parser.add_argument("--lines", type=Path, metavar="FILE", help="what was bought: one row a line of an order")
        parser.add_argument(
            "--example", nargs="?", const="orders", choices=("orders", "lines"), help="print a file to begin with"
        )
        parser.add_argument("--overwrite", action="store_true", help="take the source's over what was changed here")
        parser.add_argument("--dry-run", action="store_true", help="write nothing, print the same report")
        parser.add_argument("--report", type=Path, metavar="FILE", help="write the whole report, as JSON")

    def handle(self, *args: Any, file: Path | None, lines: Path | None, dry_run: bool, **options: Any) -> None:
        if options["example"]:
            self.stdout.write(EXAMPLE if options["example"] == "orders" else LINES_EXAMPLE, ending="")
            return
        if file is None:
            raise CommandError("give a CSV file, or --example", returncode=2)
        began, told = time.monotonic(), Report("Orders", file.name, dry_run)
        rows = rows_of(file, REQUIRED, COLUMNS)
        with Progress(disable=options["json"] or not self.stdout.isatty()) as progress:
            task = progress.add_task("Orders", total=len(rows))
            import_orders(
                rows,
                file=file.name,
                report=told,
                lines=rows_of(lines, LINE_REQUIRED, LINE_COLUMNS) if lines else (),
                lines_file=lines.name if lines else "",
                overwrite=options["overwrite"],
                step=lambda count: progress.advance(task, count),
            )
        told.seconds = time.monotonic() - began
        tell(self, told, as_json=options["json"], file=options["report"])
