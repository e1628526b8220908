"""Which tools fail, and how?"""

from __future__ import annotations

from django.db.models import Count, Q

from support_agent.agent.types import StepKind
from support_agent.models import Step
from support_agent.ops.questions.base import Answer, Asked, Cell, Question, Table, heads, many, part
from support_agent.ops.questions.sql import Row, rows_of, turn_conditions
from support_agent.ops.selectors.spreads import spreads
from support_agent.templatetags.desk import span

FAILING = ("error", "failed", "cut", "degraded", "invalid_arguments")
KINDS_SHOWN = 40
ENOUGH = 20  # calls, before a share says something
COUNTED = ("error", "degraded", "invalid_arguments", "not_found")

_HOW = """
SELECT s.tool, s.status, how.words, count(*) AS calls, max(s.created_at) AS last,
       (array_agg(s.id ORDER BY s.created_at DESC))[1:3] AS examples
FROM support_agent_step s
JOIN support_agent_turn t ON t.id = s.turn_id
CROSS JOIN LATERAL (
    SELECT left(coalesce(nullif(s.error, ''), s.output ->> 'message', s.output ->> 'fields', ''), 160) AS words
) how
WHERE s.created_at >= %(start)s AND s.created_at < %(end)s AND s.kind = 'tool_call'
  AND s.status IN ('failed', 'error', 'cut', 'degraded', 'invalid_arguments'){conditions}
GROUP BY s.tool, s.status, how.words ORDER BY calls DESC, last DESC LIMIT %(most)s
"""


def answer(asked: Asked) -> Answer:
    tools = _tools(asked)
    conditions, values = turn_conditions(asked, "t")
    if asked.tool:
        conditions += " AND s.tool = %(tool)s"
        values["tool"] = asked.tool
    kinds = rows_of(_HOW.format(conditions=conditions), values | {"most": KINDS_SHOWN})
    tables = ([_ways(asked, kinds)] if kinds else []) + ([_by_tool(asked, tools)] if tools else [])
    return Answer(_sentence(asked, tools, kinds), tables[::-1])


def _tools(asked: Asked) -> list[Row]:
    calls = Step.objects.filter(asked.in_span(), asked.turns("turn__"), kind=StepKind.TOOL_CALL)
    if asked.tool:
        calls = calls.filter(tool=asked.tool)
    counts = {name: Count("pk", filter=Q(status=name)) for name in COUNTED}
    failed = Count("pk", filter=Q(status__in=FAILING))
    found: list[Row] = [
        {"tool": tool, "calls": spread.number, "p95": spread.at(0.95), **spread.sums}
        for (tool,), spread in spreads(calls, ("tool",), "duration_ms", failed=failed, **counts).items()
    ]
    return sorted(found, key=lambda row: (-row["failed"], row["tool"]))


def _sentence(asked: Asked, tools: list[Row], kinds: list[Row]) -> str:
    calls, failed = sum(row["calls"] for row in tools), sum(row["failed"] for row in tools)
    if not failed:
        return f"No tool failed {asked.words}, in {many(calls, 'call')}."
    most = tools[0]
    often = [row for row in tools if row["calls"] >= ENOUGH]
    worst = max(often, key=lambda row: row["failed"] / row["calls"], default=most)
    said = f"{failed:,} of {many(calls, 'tool call')} ({part(failed, calls)}) failed {asked.words}. "
    said += (
        f"Most often {most['tool']}: {many(most['failed'], 'time')}, {part(most['failed'], most['calls'])} of its calls"
    )
    if worst["failed"] * most["calls"] > most["failed"] * worst["calls"]:
        said += f"; by its share {worst['tool']}, {part(worst['failed'], worst['calls'])}"
    words = kinds[0]["words"].rstrip(".") if kinds else ""
    return f"{said}. What was said most often: “{words}”." if words else f"{said}."


def _by_tool(asked: Asked, tools: list[Row]) -> Table:
    rows = [
        [
            Cell(row["tool"] or "–", row["tool"], asked.steps(kind="tool_call", tool=row["tool"])),
            Cell(f"{row['calls']:,}", row["calls"]),
            Cell(f"{row['failed']:,}", row["failed"]),
            Cell(
                part(row["failed"], row["calls"]),
                round(row["failed"] / row["calls"], 4),
                bar=row["failed"] / row["calls"],
            ),
            *(_count(asked, row, name) for name in COUNTED),
            Cell(span(round(row["p95"] or 0)), round(row["p95"] or 0)),
        ]
        for row in tools
    ]
    return Table(
        "tools",
        "By tool",
        heads("Tool | Calls# | Failed# | Share# | Errors# | Degraded# | Wrong arguments# | Not found# | p95#"),
        rows,
        note="Not found is an answer, not a failure: it does not count.",
    )


def _count(asked: Asked, row: Row, name: str) -> Cell:
    number = row[name]
    return Cell(f"{number:,}", number, asked.steps(tool=row["tool"], status=name) if number else "")


def _ways(asked: Asked, kinds: list[Row]) -> Table:
    rows = [
        [
            Cell(row["tool"], href=asked.steps(tool=row["tool"], status=row["status"])),
            Cell(row["status"].replace("_", " "), row["status"]),
            Cell(row["words"] or "–", row["words"]),
            Cell(f"{row['calls']:,}", row["calls"]),
            Cell(f"{row['last']:%-d %b, %H:%M}", row["last"].isoformat()),
            *(
                Cell(f"example {n}" if key else "", str(key or ""), f"/admin/traces/find/{key}/" if key else "")
                for n, key in enumerate([*row["examples"], None, None][:2], start=1)
            ),
        ]
        for row in kinds
    ]
    return Table("ways", "How they fail", heads("Tool | Status | What it said | Calls# | Last | See | See also"), rows)


FAILING_TOOLS = Question(
    slug="failing-tools",
    title="Which tools fail, and how?",
    about="Failures by tool and by what was said, with examples.",
    answer=answer,
    filters=("surface", "topic", "tool", "prompt"),
)
