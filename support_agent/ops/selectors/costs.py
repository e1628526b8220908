"""What the assistant cost, by something. Every grouping adds up to the same total: all steps, and what replays cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, F, Sum, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, NullIf, TruncDay, TruncMonth

from support_agent.agent.types import Surface
from support_agent.models import Step

Json = dict[str, Any]
NO_ONE = "(anonymous)"
NO_TOOL = "(no tool)"
UNKNOWN = "(unknown)"
REPLAY = "(replay)"

GROUPS: dict[str, Combinable] = {
    "day": TruncDay("created_at"),
    "month": TruncMonth("created_at"),
    "model": F("model"),
    "customer": Coalesce(F("turn__conversation__customer__email"), Value(NO_ONE)),
    "conversation": F("turn__conversation__reference"),
    "surface": F("turn__surface"),
    "topic": Coalesce(NullIf(F("turn__topic"), Value("")), Value(UNKNOWN)),
}
BY = (*GROUPS, "tool")
IN_TIME = {"day": "%Y-%m-%d", "month": "%Y-%m"}

# A model call that asked for tools is shared out among them in equal parts.
_BY_TOOL = """
WITH asked AS (
    SELECT s.id, s.cost_usd, s.input_tokens, s.output_tokens, s.cache_read_tokens, s.cache_write_tokens,
           used.name, count(*) OVER (PARTITION BY s.id) AS tools
    FROM support_agent_step s
    LEFT JOIN LATERAL (
        SELECT block->>'name' AS name
        FROM jsonb_array_elements(
            CASE WHEN jsonb_typeof(s.output->'content') = 'array' THEN s.output->'content' ELSE '[]'::jsonb END
        ) block
        WHERE block->>'type' = 'tool_use'
    ) used ON true
    WHERE s.model <> ''
)
SELECT coalesce(name, %s), count(DISTINCT id), sum(input_tokens::numeric / tools), sum(output_tokens::numeric / tools),
       sum(cache_read_tokens::numeric / tools), sum(cache_write_tokens::numeric / tools), sum(cost_usd / tools)
FROM asked GROUP BY 1
"""
# A replay's own calls, and of each what it was charged beyond them: a call that died with its worker is no step.
_OF_REPLAYS = """
WITH replay AS (
    SELECT id, cost_usd, steps, coalesce(finished_at, created_at) AT TIME ZONE 'UTC' AS at FROM support_agent_replay
), own AS (
    SELECT r.id, r.at, s->>'model' AS model, 1 AS calls, (s->>'input_tokens')::bigint AS input_tokens,
           (s->>'output_tokens')::bigint AS output_tokens, (s->>'cache_read_tokens')::bigint AS cache_read_tokens,
           (s->>'cache_write_tokens')::bigint AS cache_write_tokens, (s->>'cost_usd')::numeric(15, 9) AS cost_usd
    FROM replay r, jsonb_array_elements(r.steps) s
    WHERE s->>'model' <> '' AND s->>'how' IS DISTINCT FROM 'taken over'
), every AS (
    SELECT * FROM own
    UNION ALL
    SELECT r.id, r.at, %(label)s, 0, 0, 0, 0, 0,
           r.cost_usd - coalesce((SELECT sum(o.cost_usd) FROM own o WHERE o.id = r.id), 0)
    FROM replay r
)
SELECT {key}, sum(calls), sum(input_tokens), sum(output_tokens), sum(cache_read_tokens), sum(cache_write_tokens),
       sum(cost_usd)
FROM every GROUP BY 1 HAVING sum(calls) > 0 OR sum(cost_usd) <> 0
"""
REPLAY_KEYS = {"day": "to_char(at, 'YYYY-MM-DD')", "month": "to_char(at, 'YYYY-MM')", "model": "model"}
COLUMNS = ("calls", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cost_usd")


def costs_by(by: str) -> Json:
    """`{"by", "rows": [{<by>, calls, tokens by kind, cost_usd}], "total_cost_usd"}`; costs are numbers in USD.

    Days and months in order, everything else dearest first. Raises KeyError for a grouping there is none of.
    """
    rows = _with_replays(by, _by_tool() if by == "tool" else _by_steps(by))
    total = sum((row["cost_usd"] for row in rows), Decimal(0))
    rows = [row | {"cost_usd": float(row["cost_usd"])} for row in rows]
    return {"by": by, "rows": rows, "total_cost_usd": float(total)}


def _by_steps(by: str) -> list[Json]:
    calls = Step.objects.exclude(model="").order_by()
    sums = {name: Sum(name) for name in COLUMNS[1:]}
    grouped = calls.annotate(grouped_by=GROUPS[by]).values("grouped_by").annotate(calls=Count("pk"), **sums)
    in_time = by in IN_TIME
    ordered = grouped.order_by("grouped_by") if in_time else grouped.order_by("-cost_usd", "grouped_by")
    return [
        {by: row["grouped_by"].strftime(IN_TIME[by]) if in_time else row["grouped_by"]}
        | {name: row[name] for name in COLUMNS}
        for row in (dict[str, Any](row) for row in ordered)
    ]


def _with_replays(by: str, rows: list[Json]) -> list[Json]:
    """The rows with what replays cost: of their day, month or model, as *background*, else in a row of their own."""
    label = Surface.BACKGROUND.value if by == "surface" else REPLAY
    with connection.cursor() as cursor:
        cursor.execute(_OF_REPLAYS.format(key=REPLAY_KEYS.get(by, "%(label)s")), {"label": label})
        found = cursor.fetchall()
    replays = {name: dict(zip(COLUMNS, (*map(int, counts), usd), strict=True)) for name, *counts, usd in found}
    if not replays:
        return rows
    known = {row[by]: row for row in rows}
    for name, values in replays.items():
        row = known.setdefault(name, {by: name} | dict.fromkeys(COLUMNS, 0))
        row |= {column: row[column] + value for column, value in values.items()}
    return sorted(known.values(), key=lambda row: row[by] if by in IN_TIME else (-row["cost_usd"], row[by]))


def _by_tool() -> list[Json]:
    with connection.cursor() as cursor:
        cursor.execute(_BY_TOOL, [NO_TOOL])
        found = cursor.fetchall()
    rows = [{"tool": name, **dict(zip(COLUMNS, values, strict=True))} for name, *values in found]
    for row in rows:
        row |= {name: round(row[name]) for name in COLUMNS[1:-1]}
    return sorted(rows, key=lambda row: (-row["cost_usd"], row["tool"]))
