"""What a database holds, in figures that a restored copy must show again."""

from __future__ import annotations

from typing import Any

import psycopg
from django.apps import apps
from django.db.models import FileField
from psycopg import sql

Json = dict[str, Any]
Connection = psycopg.Connection[Any]

# A row's text must be the same wherever it is read, whatever the server or the role prefers.
SETTINGS = {"timezone": "UTC", "datestyle": "ISO, YMD", "intervalstyle": "postgres", "extra_float_digits": "3",
            "bytea_output": "hex"}  # fmt: skip
TABLES = """SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY 1"""
GAPS = """SELECT count(*) FROM tickets_conversation c LEFT JOIN (
    SELECT conversation_id, count(*) AS n, max(seq) AS top FROM tickets_event GROUP BY 1) e ON e.conversation_id = c.id
WHERE coalesce(e.n, 0) <> c.last_seq OR coalesce(e.top, 0) <> c.last_seq"""


def facts(connection: Connection) -> Json:
    """`tables`: rows and a digest of each, whatever their order; `gaps`: conversations whose events are not 1, 2, 3 …;
    `migrations`: those applied."""
    for name, value in SETTINGS.items():
        connection.execute("SELECT set_config(%s, %s, false)", [name, value])
    return {
        "tables": {name: _table(connection, name) for name in tables(connection)},
        "gaps": _one(connection, GAPS),
        "migrations": migrations(connection),
    }


def tables(connection: Connection) -> list[str]:
    return [name for (name,) in connection.execute(TABLES)]


def migrations(connection: Connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT app || '.' || name FROM django_migrations ORDER BY 1")]


def files(connection: Connection) -> set[str]:
    """Every upload that a row names, relative to MEDIA_ROOT."""
    found: set[str] = set()
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, FileField):
                query = sql.SQL("SELECT {0} FROM {1} WHERE {0} <> ''")
                column, table = sql.Identifier(str(field.column)), sql.Identifier(model._meta.db_table)
                found |= {name for (name,) in connection.execute(query.format(column, table))}
    return found


def differences(expected: Json, found: Json) -> list[str]:
    """What a copy does not show as its original did, a sentence each."""
    said = []
    for name in sorted(expected["tables"].keys() | found["tables"].keys()):
        before, after = expected["tables"].get(name), found["tables"].get(name)
        if before is None or after is None:
            said.append(f"{name} {'is missing' if after is None else 'was not in the backup'}")
        elif before["rows"] != after["rows"]:
            said.append(f"{name} has {after['rows']} rows, and {before['rows']} were backed up")
        elif before["digest"] != after["digest"]:
            said.append(f"{name} has other contents than were backed up")
    if found["gaps"] != expected["gaps"]:
        said.append(f"{found['gaps']} conversations have gaps in their events, and {expected['gaps']} had")
    return said


def _table(connection: Connection, name: str) -> Json:
    query = sql.SQL(
        "SELECT count(*), coalesce(sum(('x' || left(md5(t::text), 15))::bit(60)::bigint), 0)::text FROM {} t"
    )
    row = connection.execute(query.format(sql.Identifier(name))).fetchone()
    assert row is not None
    return {"rows": row[0], "digest": row[1]}


def _one(connection: Connection, query: Any) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]
