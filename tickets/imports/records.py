"""What imports of customers and orders share: each record a transaction, and nothing that changed here is touched."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from tickets.errors import DeskError
from tickets.imports.items import digest_of
from tickets.imports.report import Deed, Report
from tickets.imports.rows import BadValue, Row
from tickets.models import ImportedRecord

Step = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a row, and why when that is not plain."""

    deed: Deed
    name: str
    why: str = ""


def each_row(
    rows: Iterable[Row], file: str, one: Callable[[Row], Done], *, report: Report, step: Step = lambda _: None
) -> None:
    """Every row in a transaction of its own, rolled back in a dry run; one that is broken stops no other."""
    for row in rows:
        where = f"{file}:{row.line}"
        try:
            with transaction.atomic():
                if row.wrong:
                    raise BadValue(row.wrong)
                done = one(row)
                report.add(done.deed, where, done.name, done.why)
                transaction.set_rollback(report.dry_run)
        except (BadValue, ValidationError, IntegrityError, DeskError) as problem:
            report.add(Deed.SKIPPED, where, "", _said(problem))
        step(1)


def changed_fields(
    record: models.Model, new: Mapping[str, Any], left: Mapping[str, str]
) -> tuple[list[str], list[str]]:
    """(fields to be written, fields that changed there but were changed here since) of a record that was imported
    before; a field that no import left is written when it says something else."""
    write: list[str] = []
    mine: list[str] = []
    for name, value in new.items():
        now = getattr(record, name)
        if now == value or (name in left and left[name] == mark_of(value)):
            continue  # as it is here, or as the source said before: it is what changed here that counts
        (mine if name in left and left[name] != mark_of(now) else write).append(name)
    return write, mine


def mark_of(value: object) -> str:
    """Enough to tell a value from another, and not the value."""
    return hashlib.sha256(str(value).encode()).hexdigest()[:16]


def remember(row: ImportedRecord, told: object, left: Mapping[str, Any]) -> None:
    """Keep what the source said and what was left of it."""
    row.digest = digest_of(told)
    row.left = {**row.left, **{name: mark_of(value) for name, value in left.items()}}
    row.changed_at = timezone.now()
    row.save()


def kept_back(fields: Iterable[str]) -> str:
    return f"changed there, and here since: {', '.join(fields)} stayed; --overwrite takes the source's"


def _said(problem: Exception) -> str:
    if isinstance(problem, ValidationError):
        return "; ".join(f"{name}: {' '.join(told)}" for name, told in problem.message_dict.items())
    if isinstance(problem, IntegrityError):
        return f"the database refuses it: {str(problem).splitlines()[0]}"
    return problem.message if isinstance(problem, DeskError) else str(problem)
