"""Files for download, written as they are read, without personal data: CSV for spreadsheets, JSON for programs."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse

from support_agent.ops.gates import MANAGERS, staff_of
from support_agent.ops.selectors.patience import TooSlow
from tickets.access import staff_roles
from tickets.redaction import redact_json

log = logging.getLogger(__name__)
FORMULA = frozenset("=+-@＝＋－＠﹢﹣﹦﹫−\t\r\n")
UNSEEN = re.compile(r"^[\s\x00-\x1f\x7f-\xa0\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\u3164\ufeff]+")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
GAVE_UP = "This took too long: narrow the dates or the filters."
BROKE = "The export broke here: what follows is missing."


def may_export(request: HttpRequest) -> bool:
    return bool(staff_roles(staff_of(request)) & {role.value for role in MANAGERS})


def csv_file(name: str, head: Iterable[object], rows: Iterable[Iterable[object]]) -> StreamingHttpResponse:
    return _file(name, "text/csv; charset=utf-8", _csv(head, rows))


def json_file(name: str, rows: Iterable[Any]) -> StreamingHttpResponse:
    """A JSON array, one row a line."""
    return _file(name, "application/json", _json(rows))


def _file(name: str, content_type: str, lines: Iterator[str]) -> StreamingHttpResponse:
    response = StreamingHttpResponse(lines, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _csv(head: Iterable[object], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    yield csv_line(head)
    try:
        for row in rows:
            yield csv_line(row)
    except TooSlow:
        yield csv_line([GAVE_UP])
    except Exception:  # raised on, it would leave the response open, and its connection taken
        log.exception("export_failed")
        yield csv_line([BROKE])


def _json(rows: Iterable[Any]) -> Iterator[str]:
    yield "["
    lead = "\n"
    try:
        for row in rows:
            yield lead + json.dumps(redact_json(row), ensure_ascii=False, default=str)
            lead = ",\n"
    except TooSlow:
        yield lead + json.dumps({"error": GAVE_UP})
    except Exception:
        log.exception("export_failed")
        yield lead + json.dumps({"error": BROKE})
    yield "\n]\n"


def exact_csv_line(values: Iterable[object]) -> str:
    """One line as it is, for a program of another system: personal data and all, and nothing made safe for sheets."""
    line = io.StringIO()
    csv.writer(line).writerow(values)
    return line.getvalue()


def csv_line(values: Iterable[object]) -> str:
    """One line without personal data. Text is quoted, or a list separator of another country would begin a cell in its
    middle."""
    kept = redact_json(list(values))
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_NONNUMERIC).writerow(_cell(value) for value in kept)
    return line.getvalue()


def _cell(value: object) -> object:
    """A number as it is; anything else as text that no spreadsheet runs as a formula."""
    if value is None or isinstance(value, int | float | Decimal):
        return value
    text = str(value)
    bare = UNSEEN.sub("", text)  # spreadsheets skip what cannot be seen
    if NUMBER.fullmatch(text) or not FORMULA & {text[:1], bare[:1]}:
        return text
    return f"'{text}"
