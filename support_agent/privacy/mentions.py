"""An address where nobody looked for it: in a note on another conversation, an alert, a saved case."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

from django.db import connection
from django.db.models import JSONField

from support_agent.privacy.blank import ERASED
from support_agent.privacy.rows import Counts
from support_agent.privacy.tables import MAY_NAME

EDGE_BEFORE, EDGE_AFTER = r"(?<![\w.+-])", r"(?![\w-])"
SPECIAL = re.compile(r"([.^$*+?()\[\]{}|\\-])")


def erase_mentions(needles: Collection[str]) -> Counts:
    """Put a mark in place of each of these, in every column where somebody may have written it."""
    counts: Counts = Counts()
    for needle in filter(None, needles):
        for model, name in dict.fromkeys(MAY_NAME):
            field: Any = model._meta.get_field(name)
            is_json = isinstance(field, JSONField)
            counts[model._meta.db_table] += _replace(
                model._meta.db_table, field.get_attname_column()[1], needle, is_json
            )
    return counts


def _replace(table: str, column: str, needle: str, is_json: bool) -> int:
    shown = json.dumps(needle, ensure_ascii=False)[1:-1] if is_json else needle
    pattern = EDGE_BEFORE + SPECIAL.sub(r"\\\1", shown) + EDGE_AFTER
    like = "%" + re.sub(r"([%_\\])", r"\\\1", shown) + "%"
    quoted, cast = connection.ops.quote_name(column), "::jsonb" if is_json else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {connection.ops.quote_name(table)} "  # noqa: S608 - names of our own models
            f"SET {quoted} = regexp_replace({quoted}::text, %s, %s, 'gi'){cast} "
            f"WHERE {quoted}::text ILIKE %s AND {quoted}::text ~* %s",
            [pattern, ERASED, like, pattern],
        )
        return int(cursor.rowcount)
