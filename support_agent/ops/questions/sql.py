"""Rows of a statement by name, and a turn's filters as SQL."""

from __future__ import annotations

from typing import Any

from django.db import connection

from support_agent.ops.questions.base import Asked

Row = dict[str, Any]


def rows_of(statement: str, values: dict[str, Any]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def turn_conditions(asked: Asked, turn: str) -> tuple[str, dict[str, Any]]:
    """' AND ...' over the columns of a turn called `turn`, with its values; every name in it is ours."""
    values: dict[str, Any] = {"start": asked.start, "end": asked.end}
    sql = ""
    for name, column in (("surface", "surface"), ("path", "path"), ("topic", "topic")):
        if value := getattr(asked, name):
            sql += f" AND {turn}.{column} = %({name})s"
            values[name] = value
    if asked.prompt:
        sql += f" AND starts_with({turn}.prompt_version, %(prompt)s)"
        values["prompt"] = asked.prompt
    return sql, values
