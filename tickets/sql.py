"""Statements of the hot path, written out: what the ORM would do in many, at a fraction of its work.

PostgreSQL parses and plans them once per connection, where no pooler stands between. They take part in the transaction
that is open, or are one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import psycopg
from django.db import connection, models

M = TypeVar("M", bound=models.Model)


def prepared(statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement and answer its rows; JSON comes as text. Raises what the ORM would raise."""
    return _run(statement, parameters)[1]


def fetched(model: type[M], statement: str, parameters: Mapping[str, Any]) -> list[M]:
    """The rows of a statement as instances of a model; `{columns}` in it are the model's own.

    A column that is left out is read when it is asked for.
    """
    names, rows = _run(with_columns(model, statement), parameters)
    order, attributes, of_json = _places(model, tuple(names))
    found = []
    for row in rows:
        values = [row[at] for at in order]
        for at in of_json:
            values[at] = None if values[at] is None else json.loads(values[at])
        found.append(model.from_db(connection.alias, attributes, values))
    return found


def inserted(model: type[models.Model], rows: str, *, once: bool = False) -> None:
    """Write rows that come as a JSON array in the words of the table's columns; `once` leaves those alone whose key is
    taken."""
    statement = with_columns(model, _INSERT).format(table=model._meta.db_table, rest=_ONCE if once else "")
    prepared(statement, {"rows": rows})


@cache
def with_columns(model: type[models.Model], statement: str) -> str:
    """The statement with the columns this version of the model knows: one that a newer version has added is none of its
    business, for old and new processes work side by side while a release goes out."""
    own = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
    return statement.replace("{columns}", own)


def as_rows(instances: Sequence[models.Model]) -> str:
    """New instances as `inserted` takes them."""
    return as_json([{f.column: getattr(one, f.attname) for f in one._meta.concrete_fields} for one in instances])


def as_json(value: Any) -> str:
    """JSON text as PostgreSQL keeps it: without NUL and half surrogates; what is no JSON becomes its text."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return text.encode("utf-8", "replace").decode().replace("\\u0000", "")


def _run(statement: str, parameters: Mapping[str, Any]) -> tuple[list[str], list[tuple[Any, ...]]]:
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement.encode(), parameters, prepare=True)
        if cursor.description is None:
            return [], []
        return [column.name for column in cursor.description], cursor.fetchall()


@cache
def _places(model: type[models.Model], columns: tuple[str, ...]) -> tuple[list[int], list[str], list[int]]:
    """Where the values of a row stand in the model's own order, the attributes in that order, and which hold JSON."""
    known = [field for field in model._meta.concrete_fields if field.column in columns]
    of_json = [at for at, field in enumerate(known) if isinstance(field, models.JSONField)]
    return [columns.index(field.column) for field in known], [field.attname for field in known], of_json


_INSERT = """
INSERT INTO {table} ({columns})
SELECT {columns} FROM jsonb_populate_recordset(NULL::{table}, %(rows)s::jsonb) {rest}
"""
_ONCE = "ON CONFLICT DO NOTHING"
