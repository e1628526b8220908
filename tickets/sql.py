"""Statements of the hot path, written out: what the ORM would do in many, at a fraction of its work.

PostgreSQL parses and plans them once per connection, where no pooler stands between. They take part in the transaction
that is open, or are one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection


def prepared(statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement and answer its rows; JSON comes as text. Raises what the ORM would raise."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement.encode(), parameters, prepare=settings.PREPARES_STATEMENTS)
        return cursor.fetchall() if cursor.description else []


def as_json(value: Any) -> str:
    """JSON text as PostgreSQL keeps it: without NUL and half surrogates; what is no JSON becomes its text."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return text.encode("utf-8", "replace").decode().replace("\\u0000", "")
