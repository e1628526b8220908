"""Rows of CSV files, as spreadsheets and shops write them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import IO

from django.utils.dateparse import parse_date, parse_datetime

from tickets.imports.items import MAX_BYTES

SAMPLE = 16_384


class BadValue(ValueError):
    """A cell that cannot be used; the message names its column and says what is expected."""


class WrongFile(Exception):
    """The file as a whole cannot be used."""


@dataclass(frozen=True, slots=True)
class Row:
    """A record by its columns' names in lower case; `line` is where it begins in the file, `wrong` what keeps it
    from being read at all."""

    line: int
    cells: dict[str, str]
    wrong: str = ""

    def text(self, name: str, *, required: bool = False, most: int = 0) -> str:
        value = self.cells.get(name, "").strip()
        if required and not value:
            raise BadValue(f"{name} is empty")
        if most and len(value) > most:
            raise BadValue(f"{name} has {len(value)} characters; {most} are the most")
        return value

    def amount(self, name: str) -> Decimal | None:
        """Money with a point and at most two places; None for an empty cell."""
        if not (text := self.text(name)):
            return None
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite() or value != round(value, 2) or not 0 <= value < Decimal("9999999.995"):
            raise BadValue(f"{name} is {text!r}; an amount such as 1234.50 is expected")
        return value.quantize(Decimal("0.01"))

    def whole(self, name: str, default: int) -> int:
        text = self.text(name) or str(default)
        if not (text.isascii() and text.isdigit() and len(text) < 9):
            raise BadValue(f"{name} is {text!r}; a whole number is expected")
        return int(text)

    def moment(self, name: str) -> datetime | None:
        """A time with its zone, in UTC; None for an empty cell."""
        if not (text := self.text(name)):
            return None
        try:
            found = parse_datetime(text)
        except ValueError:
            found = None
        if found is None or found.tzinfo is None:
            raise BadValue(f"{name} is {text!r}; a time with its zone is expected, such as 2026-03-01T14:30:00+01:00")
        return found.astimezone(UTC)

    def day(self, name: str) -> date | None:
        if not (text := self.text(name)):
            return None
        try:
            found = parse_date(text)
        except ValueError:
            found = None
        if found is None:
            raise BadValue(f"{name} is {text!r}; a day such as 2026-03-01 is expected")
        return found

    def choice(self, name: str, choices: Sequence[str], default: str = "") -> str:
        value = self.text(name).lower() or default
        if value not in choices:
            raise BadValue(f"{name} is {value!r}; one of {', '.join(choices)} is expected")
        return value


def read_rows(path: Path, *, required: Sequence[str], known: Sequence[str], most: int = 500_000_000) -> Iterator[Row]:
    """Every record that is not empty; separated by commas, semicolons or tabs, whatever byte order mark comes first.

    Raises WrongFile, at once for a file without its columns, later for one that ends within quotes or is no text.
    """
    try:
        if path.stat().st_size > most:
            raise WrongFile(f"{path}: larger than {most:,} bytes; split it")
        head = path.open("rb").read(2)
    except OSError as problem:
        raise WrongFile(f"{path}: {problem.strerror}") from None
    encoding = "utf-16" if head in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    csv.field_size_limit(MAX_BYTES)
    with path.open(encoding=encoding, newline="") as file:
        try:
            yield from _rows(path, file.read(SAMPLE).partition("\n")[0], file, required, known)
        except UnicodeDecodeError as problem:
            raise WrongFile(f"{path}: not UTF-8 at byte {problem.start}; save it as “CSV UTF-8”") from None
        except csv.Error as problem:
            raise WrongFile(f"{path}: {problem}") from None


def _rows(path: Path, first: str, file: IO[str], required: Sequence[str], known: Sequence[str]) -> Iterator[Row]:
    file.seek(0)
    separator = max(",;\t", key=first.count)
    reader = csv.reader(file, delimiter=separator)
    names = [name.strip().lower() for name in next(reader, [])]
    if missing := [name for name in required if name not in names]:
        raise WrongFile(f"{path}: no column {', '.join(missing)}; its first line has {', '.join(names) or 'nothing'}")
    if unknown := [name for name in names if name and name not in known]:
        raise WrongFile(f"{path}: unknown column {', '.join(unknown)}; there are {', '.join(known)}")
    if len(names) != len(set(names)):
        raise WrongFile(f"{path}: a column stands twice in the first line")
    begins = reader.line_num + 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            padded = [*cells, *[""] * (len(names) - len(cells))]
            clean = {name: cell.replace("\x00", "") for name, cell in zip(names, padded, strict=False)}
            wrong = "has more cells than there are columns; is a quote missing?" if len(cells) > len(names) else ""
            yield Row(begins, clean, wrong)
        begins = reader.line_num + 1
