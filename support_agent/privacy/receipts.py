"""Receipts of erasures: in the database, and line by line in a file that lies outside its backups.

A restored backup brings erased people back and forgets that they were erased; the file does not. It holds keyed hashes,
pseudonyms, times and counts, and nothing of anybody.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from tickets.models import ErasureRequest

log = logging.getLogger(__name__)
Json = dict[str, Any]
FIELDS = {"id", "email_hash", "pseudonym", "done_at", "counts"}


class BadReceipts(ValueError):
    """The file is no list of receipts; the text says which line."""


def receipt_of(request: ErasureRequest) -> Json:
    return {
        "id": str(request.pk),
        "email_hash": request.email_hash,
        "pseudonym": request.pseudonym,
        "asked_at": request.created_at.isoformat(),
        "done_at": request.done_at.isoformat() if request.done_at else None,
        "counts": request.counts,
    }


def keep(request: ErasureRequest) -> None:
    """One more line. The erasure stands even where it cannot be written: the log says so, the table has it too."""
    path = Path(settings.ERASURE_RECEIPTS)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a") as file:
            file.write(json.dumps(receipt_of(request)) + "\n")
    except OSError:
        log.exception("erasure_receipt_not_kept")


def unknown_to_the_database() -> list[Json]:
    """Receipts of the file that the database has no row of: it was restored from before they were made."""
    path = Path(settings.ERASURE_RECEIPTS)
    if not path.exists():
        return []
    found = {receipt["id"]: receipt for receipt in read(path.read_text().splitlines())}
    known = {str(pk) for pk in ErasureRequest.objects.filter(pk__in=found).values_list("pk", flat=True)}
    return [receipt for key, receipt in found.items() if key not in known]


def read(lines: Iterable[str]) -> list[Json]:
    """Receipts, one a line. Raises BadReceipts."""
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            receipt = json.loads(line)
            datetime.fromisoformat(receipt["done_at"])
        except (ValueError, TypeError, KeyError):
            receipt = None
        if not isinstance(receipt, dict) or not receipt.keys() >= FIELDS:
            raise BadReceipts(f"line {number} is no receipt of an erasure")
        found.append(receipt)
    return found


def restore(receipt: Json) -> None:
    """Its row again, under the same id: whoever looks knows it, and it is not taken up twice."""
    ErasureRequest.objects.update_or_create(
        pk=receipt["id"],
        defaults={
            "email_hash": receipt["email_hash"],
            "pseudonym": receipt["pseudonym"],
            "state": ErasureRequest.State.RUNNING,
        },
    )
