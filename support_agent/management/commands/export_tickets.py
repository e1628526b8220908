"""`manage.py export_tickets`: tickets as CSV or JSON, for a program or a spreadsheet."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import CommandError, CommandParser

from support_agent.management.base import OpsCommand
from support_agent.ops.exports import csv_line, exact_csv_line
from support_agent.ops.selectors.tickets import COLUMNS, Json, TicketFilter, ticket_rows
from tickets.models import Ticket
from tickets.redaction import redact_json


class Command(OpsCommand):
    help = "Writes tickets, the oldest first: as CSV, or with --json as a JSON array, one ticket a line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=_day, metavar="YYYY-MM-DD", help="made on this day (UTC) or after")
        parser.add_argument("--before", type=_day, metavar="YYYY-MM-DD", help="made before this day (UTC)")
        parser.add_argument("--status", choices=Ticket.Status.values, default="", help="only those of this status")
        parser.add_argument("--output", metavar="FILE", help="write there; without, to the terminal")
        parser.add_argument(
            "--personal",
            action="store_true",
            help="with names, addresses and texts as they are, for moving to another system; without, they are hidden",
        )

    def handle(self, *args: Any, output: str | None, **options: Any) -> None:
        if output is None:
            self._write(sys.stdout, options)
            return
        try:
            with Path(output).open("w", encoding="utf-8", newline="") as file:
                number = self._write(file, options)
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error.strerror}.", returncode=2) from None
        self.stderr.write(f"{number} tickets in {output}")

    def _write(self, file: TextIO, options: dict[str, Any]) -> int:
        wanted, personal = TicketFilter(options["since"], options["before"], options["status"]), options["personal"]
        write = _write_json if options["json"] else _write_csv
        return write(file, ticket_rows(wanted, personal=personal), personal=personal)


def _write_csv(file: TextIO, rows: Iterator[Json], *, personal: bool) -> int:
    number, line = 0, exact_csv_line if personal else csv_line
    file.write(exact_csv_line(COLUMNS))
    for row in rows:
        number += 1
        file.write(line(row.values()))
    return number


def _write_json(file: TextIO, rows: Iterator[Json], *, personal: bool) -> int:
    number = 0
    file.write("[")
    for number, row in enumerate(rows, start=1):
        told = json.dumps(row if personal else redact_json(row), ensure_ascii=False)
        file.write(f"{',' if number > 1 else ''}\n{told}")
    file.write("\n]\n")
    return number


def _day(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
