"""What the assistant cost, by something. Every grouping adds up to the same total: the sum over all steps."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, F, Sum, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, NullIf, TruncDay, TruncMonth

from support_agent.models import Step

Json = dict[str, Any]
NO_ONE = "(anonymous)"
NO_TOOL = "(no tool)"
UNKNOWN = "(unknown)"

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
COLUMNS = ("calls", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cost_usd")


def costs_by(by: str) -> Json:
    """`{"by", "rows": [{<by>, calls, tokens by kind, cost_usd}], "total_cost_usd"}`; costs are numbers in USD.

    Days and months in order, everything else dearest first. Raises KeyError for a grouping there is none of.
    """
    rows = _by_tool() if by == "tool" else _by_steps(by)
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


def _by_tool() -> list[Json]:
    with connection.cursor() as cursor:
        cursor.execute(_BY_TOOL, [NO_TOOL])
        found = cursor.fetchall()
    rows = [{"tool": name, **dict(zip(COLUMNS, values, strict=True))} for name, *values in found]
    for row in rows:
        row |= {name: round(row[name]) for name in COLUMNS[1:-1]}
    return sorted(rows, key=lambda row: (-row["cost_usd"], row["tool"]))
