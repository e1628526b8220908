"""Statements of the hot path, written out: what the ORM would do in many, at a fraction of its work.

PostgreSQL parses and plans them once per connection, where no pooler stands between. They take part in the transaction
that is open, or are one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

import psycopg
from django.conf import settings
from django.db import connection, models

M = TypeVar("M", bound=models.Model)


def prepared(statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement and answer its rows; JSON comes as text. Raises what the ORM would raise."""
    return _run(statement, parameters)[1]


def fetched(model: type[M], statement: str, parameters: Mapping[str, Any]) -> list[M]:
    """The rows of a statement as instances of a model; columns that it leaves out are read when they are asked for."""
    columns, rows = _run(statement, parameters)
    names, of_json = _attributes(model, tuple(columns))
    for at in of_json:
        rows = [(*row[:at], None if row[at] is None else json.loads(row[at]), *row[at + 1 :]) for row in rows]
    order = [names.index(name) for name in _order(model, tuple(names))]
    names = [names[at] for at in order]
    return [model.from_db(connection.alias, names, [row[at] for at in order]) for row in rows]


def as_row(instance: models.Model) -> str:
    """A new instance as JSON in the words of its table's columns, for jsonb_populate_record."""
    return as_json({field.column: getattr(instance, field.attname) for field in instance._meta.concrete_fields})


def as_json(value: Any) -> str:
    """JSON text as PostgreSQL keeps it: without NUL and half surrogates; what is no JSON becomes its text."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return text.encode("utf-8", "replace").decode().replace("\\u0000", "")


def _run(statement: str, parameters: Mapping[str, Any]) -> tuple[list[str], list[tuple[Any, ...]]]:
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement.encode(), parameters, prepare=settings.PREPARES_STATEMENTS)
        if cursor.description is None:
            return [], []
        return [column.name for column in cursor.description], cursor.fetchall()


@cache
def _order(model: type[models.Model], names: tuple[str, ...]) -> list[str]:
    """The names in the model's own order: instances are made by it."""
    return [field.attname for field in model._meta.concrete_fields if field.attname in names]


@cache
def _attributes(model: type[models.Model], columns: tuple[str, ...]) -> tuple[list[str], list[int]]:
    """The fields' attributes in the order of these columns, and the places of those that hold JSON."""
    by_column = {field.column: field for field in model._meta.concrete_fields}
    found = [by_column[column] for column in columns]
    of_json = [at for at, field in enumerate(found) if isinstance(field, models.JSONField)]
    return [field.attname for field in found], of_json
