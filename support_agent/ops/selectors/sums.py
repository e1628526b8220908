"""The sums of any span, from the largest pieces there are: days, hours, and the rows where nothing is summed yet.

So a page is right whether or not the job that sums has run; without it, it is only slower.
"""

# ruff: noqa: S608 - the statements are put together from constants of these modules

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db import connection, transaction

from support_agent.ops.spans import Span
from support_agent.runtime.buckets import BOUNDS
from support_agent.runtime.rollup_sql import STEPS, SUMS, TALLIES, TOKENS, TURNS
from support_agent.runtime.rollups import DAY, HOUR, floor_day, floor_hour

Json = dict[str, Any]
Source = Literal["row", "hour", "day"]

BIN = "width_bucket(at, %(bars)s::timestamptz[]) - 1"


@dataclass(frozen=True, slots=True)
class Piece:
    """[start, end), read from the days, the hours or the rows themselves."""

    source: Source
    start: datetime
    end: datetime


def pieces(start: datetime, end: datetime, upto: datetime | None, *, by_day: bool = True) -> list[Piece]:
    """A stretch of time in order, without gap or overlap; `upto` is where the sums end, None: there are none.

    Without `by_day` no piece is larger than an hour's: for charts with a bar an hour.
    """
    found: list[Piece] = []
    summed = end if upto is None else min(floor_hour(end), upto)
    while start < end:
        if upto is None or start >= summed:
            source, stop = "row", end
        elif start != floor_hour(start):
            source, stop = "row", min(floor_hour(start) + HOUR, end)
        elif by_day and start == floor_day(start) and start + DAY <= summed:
            source, stop = "day", floor_day(summed)
        else:
            source, stop = "hour", min(floor_day(start) + DAY, summed)
        found.append(Piece(source, start, stop))  # type: ignore[arg-type]
        start = stop
    return found


class Sums:
    """Reads the sums of a span and of the one before it. `upto`: see `rollups.summed_upto`."""

    def __init__(self, span: Span, upto: datetime | None) -> None:
        upto = None if span.unit.seconds < 3600 else upto  # finer than the sums: from the rows
        self.span = span
        self._now = pieces(span.start, span.end, upto, by_day=span.unit.seconds >= 86_400)
        self._before = pieces(span.before, span.start, upto)

    def steps(self) -> list[Json]:
        """Rows {what, is_now, name, detail, bin, …sums}; `what` is kind (detail: status), and of now model, tool
        (detail: status), surface, bin, critic (name: status, by bin)."""
        sums = ", ".join(f"sum({name}) AS {name}" for name in ("steps", *TOKENS, "cost_usd"))
        now, asked = self._source(STEPS, self._now)
        before, asked_before = self._source(STEPS, self._before, "b")
        return _rows(
            f"""SELECT CASE GROUPING(kind, model, tool, surface, bin, verdict)
                       WHEN 31 THEN 'kind' WHEN 47 THEN 'model' WHEN 55 THEN 'tool' WHEN 59 THEN 'surface'
                       WHEN 61 THEN 'bin' ELSE 'critic' END AS what,
                   true AS is_now, coalesce(kind, model, tool, surface, verdict, '') AS name,
                   coalesce(status, '') AS detail, coalesce(bin, 0) AS bin, {sums}
            FROM (SELECT *, {BIN} AS bin, CASE WHEN kind = 'critic' THEN status ELSE '' END AS verdict FROM ({now}) p) x
            GROUP BY GROUPING SETS ((kind, status), (model), (tool, status), (surface), (bin), (bin, verdict))
            UNION ALL SELECT 'kind', false, kind, status, 0, {sums} FROM ({before}) x GROUP BY kind, status""",
            asked | asked_before,
        )

    def turns(self) -> list[Json]:
        """Rows {what, is_now, name, bin, turns, conversations, steps, cost_usd}; `what` is state, and of now topic,
        path, surface, bin."""
        sums = ", ".join(f"sum({name}) AS {name}" for name in ("turns", "conversations", "steps", "cost_usd"))
        now, asked = self._source(TURNS, self._now)
        before, asked_before = self._source(TURNS, self._before, "b")
        return _rows(
            f"""SELECT CASE GROUPING(state, topic, path, surface, bin)
                       WHEN 15 THEN 'state' WHEN 23 THEN 'topic' WHEN 27 THEN 'path' WHEN 29 THEN 'surface'
                       ELSE 'bin' END AS what,
                   true AS is_now, coalesce(state, topic, path, surface, '') AS name, coalesce(bin, 0) AS bin, {sums}
            FROM (SELECT *, {BIN} AS bin FROM ({now}) p) x
            GROUP BY GROUPING SETS ((state), (topic), (path), (surface), (bin))
            UNION ALL SELECT 'state', false, state, 0, {sums} FROM ({before}) x GROUP BY state""",
            asked | asked_before,
        )

    def tallies(self) -> list[Json]:
        """Rows {what, is_now, name, bucket, bin, number, cost_usd} of every measure but customers.

        Turns of now lie in the bin of their time; everything else has bin -1.
        """
        now, asked = self._source(TALLIES, self._now, where="measure <> 'customer'")
        whole = "measure IN ('turn', 'first_text', 'words')"
        before, asked_before = self._source(TALLIES, self._before, "b", where=whole)
        sums = "sum(number) AS number, sum(cost_usd) AS cost_usd"
        return _rows(
            f"""SELECT measure AS what, true AS is_now, name, bucket,
                       CASE WHEN measure = 'turn' THEN {BIN} ELSE -1 END AS bin, {sums}
            FROM ({now}) x GROUP BY 1, 3, 4, 5
            UNION ALL SELECT measure, false, name, bucket, -1, {sums} FROM ({before}) x GROUP BY 1, 3, 4""",
            asked | asked_before,
        )

    def customers(self, limit: int) -> list[Json]:
        """Rows {id, name, email, turns, cost_usd}: the dearest customers of now."""
        source, asked = self._source(TALLIES, self._now, where="measure = 'customer'")
        return _rows(
            f"""SELECT x.name AS id, c.name, c.email, x.number AS turns, x.cost_usd FROM (
                SELECT name, sum(number) AS number, sum(cost_usd) AS cost_usd FROM ({source}) p
                GROUP BY name ORDER BY 3 DESC, 1 LIMIT {int(limit)}
            ) x JOIN tickets_customer c ON c.id = x.name::uuid ORDER BY x.cost_usd DESC, x.name""",
            asked,
        )

    def spent(self, surface: str = "") -> list[Json]:
        """Rows {is_now, bin, cost_usd}: what all steps cost, on one surface or on all; before lies in bin 0."""
        return self._by_bar(
            STEPS, "sum(cost_usd) AS cost_usd", "", "surface = %(surface)s" if surface else "true", surface
        )

    def claims(self, surface: str = "") -> list[Json]:
        """Rows {is_now, bin, backed, number}: the claims of answers that evidence backed, and those refused for want
        of it."""
        where = "measure = 'claim'" + (" AND name = %(surface)s" if surface else "")
        return self._by_bar(TALLIES, "sum(number) AS number", ", bucket = 1 AS backed", where, surface)

    def _by_bar(self, select: str, sums: str, key: str, where: str, surface: str) -> list[Json]:
        now, asked = self._source(select, self._now, where=where)
        before, asked_before = self._source(select, self._before, "b", where=where)
        grouped = "GROUP BY 1, 2, backed" if key else "GROUP BY 1, 2"
        return _rows(
            f"""SELECT true AS is_now, {BIN} AS bin{key}, {sums} FROM ({now}) x {grouped}
            UNION ALL SELECT false, 0{key}, {sums} FROM ({before}) x {grouped}""",
            asked | asked_before | {"surface": surface},
        )

    def _source(self, select: str, wanted: list[Piece], mark: str = "", where: str = "true") -> tuple[str, Json]:
        """The pieces as one source of rows with `at`, and its parameters; `mark` keeps two sources apart."""
        table, key, sums = next((table, key, sums) for table, of, key, sums in SUMS if of == select)
        columns = ", ".join((*key, *sums))
        asked: Json = {"bounds": BOUNDS, "width": min(3600, self.span.unit.seconds), "bars": self.span.bars}
        parts = []
        for number, piece in enumerate(wanted):
            start, end = f"start{mark}{number}", f"end{mark}{number}"
            asked |= {start: piece.start, end: piece.end}
            if piece.source == "row":
                of = select.replace("%(start)s", f"%({start})s").replace("%(end)s", f"%({end})s")
                parts.append(f"SELECT at, {columns} FROM ({of}) fresh WHERE {where}")
            else:
                parts.append(
                    f"SELECT {piece.source} AS at, {columns} FROM {table}{piece.source} "
                    f"WHERE {piece.source} >= %({start})s AND {piece.source} < %({end})s AND {where}"
                )
        return "\nUNION ALL ".join(parts), asked


def _rows(statement: str, asked: Json) -> list[Json]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '32MB'")  # else some thousand sums go to the disk and back
        cursor.execute(statement, asked)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
