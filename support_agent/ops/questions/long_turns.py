"""What caused more than five steps?"""

from __future__ import annotations

from support_agent.models import Turn
from support_agent.ops.questions.base import Answer, Asked, Cell, Question, Table, heads, listed, many, part
from support_agent.ops.questions.sql import Row, rows_of, turn_conditions
from support_agent.templatetags.desk import usd

SHOWN = 20

# The first that holds names the cause; `filters` lead to its conversations.
CAUSES: dict[str, tuple[str, dict[str, str]]] = {
    "died": ("its runner died and another went on", {}),
    "model": ("the model failed and was asked again", {"kind": "model_call", "step_status": "failed"}),
    "tool": ("a tool failed", {"kind": "tool_call", "step_status": "error"}),
    "arguments": ("a tool was asked with wrong arguments", {"kind": "tool_call", "step_status": "invalid_arguments"}),
    "rejected": ("an answer was not backed and was asked again", {"kind": "critic", "step_status": "failed"}),
    "replanned": ("the plan changed half-way", {"kind": "plan"}),
    "loop": ("the same was tried again and again", {"kind": "observe", "step_status": "notice"}),
    "lookups": ("it needed three look-ups or more", {"kind": "tool_call"}),
    "other": ("nothing in particular: planned work", {}),
}

_STATEMENT = """
WITH long AS MATERIALIZED (
    SELECT t.id, t.conversation_id, t.topic, t.path, t.attempt, t.step_count, t.cost_usd, t.created_at
    FROM support_agent_turn t
    WHERE t.created_at >= %(start)s AND t.created_at < %(end)s AND t.step_count > %(more_than)s{conditions}
), marks AS (
    SELECT s.turn_id,
           count(*) FILTER (WHERE s.kind IN ('model_call', 'plan') AND s.status IN ('failed', 'cut')) AS model,
           count(*) FILTER (WHERE s.kind = 'tool_call' AND s.status IN ('error', 'failed', 'degraded')) AS tool,
           count(*) FILTER (WHERE s.kind = 'tool_call' AND s.status = 'invalid_arguments') AS arguments,
           count(*) FILTER (WHERE s.kind = 'critic' AND s.status = 'failed') AS rejected,
           count(*) FILTER (WHERE s.kind = 'plan') AS plans,
           count(*) FILTER (WHERE s.kind = 'observe' AND s.status = 'notice') AS loops,
           count(*) FILTER (WHERE s.kind = 'tool_call') AS lookups
    FROM support_agent_step s JOIN long ON long.id = s.turn_id
    WHERE s.created_at >= %(start)s AND s.created_at < %(end)s + interval '1 hour'
    GROUP BY s.turn_id
), judged AS (
    SELECT long.*, CASE WHEN long.attempt > 1 THEN 'died' WHEN m.model > 0 THEN 'model' WHEN m.tool > 0 THEN 'tool'
        WHEN m.arguments > 0 THEN 'arguments' WHEN m.rejected > 0 THEN 'rejected' WHEN m.plans > 1 THEN 'replanned'
        WHEN m.loops > 0 THEN 'loop' WHEN m.lookups > 2 THEN 'lookups' ELSE 'other' END AS cause
    FROM long LEFT JOIN marks m ON m.turn_id = long.id
)
SELECT cause, topic, path, count(*) AS turns, avg(step_count)::float AS steps, max(step_count) AS most,
       sum(cost_usd) AS cost, (array_agg(id ORDER BY step_count DESC, created_at DESC))[1] AS example
FROM judged GROUP BY GROUPING SETS ((cause), (topic, path))
"""


def answer(asked: Asked) -> Answer:
    conditions, values = turn_conditions(asked, "t")
    found = rows_of(_STATEMENT.format(conditions=conditions), values | {"more_than": asked.more_than})
    causes = sorted((row for row in found if row["cause"]), key=lambda row: -row["turns"])
    topics = sorted((row for row in found if not row["cause"]), key=lambda row: -row["turns"])
    every = Turn.objects.filter(asked.in_span(), asked.turns()).count()
    long = sum(row["turns"] for row in causes)
    tables = [_causes(asked, causes, long), _topics(asked, topics, long)] if long else []
    return Answer(_sentence(asked, causes, long, every), tables)


def _sentence(asked: Asked, causes: list[Row], long: int, every: int) -> str:
    if not long:
        return f"None of {many(every, 'turn')} {asked.words} took more than {asked.more_than} steps."
    first = [f"{CAUSES[row['cause']][0]} ({part(row['turns'], long)})" for row in causes[:2]]
    share = f"{many(long, 'turn')} of {every:,} ({part(long, every)})"
    return f"{share} {asked.words} took more than {asked.more_than} steps: most often because {listed(first)}."


def _causes(asked: Asked, causes: list[Row], long: int) -> Table:
    rows = []
    for row in causes:
        words, filters = CAUSES[row["cause"]]
        rows.append([
            Cell(words.capitalize(), row["cause"], asked.traces(min_steps=asked.more_than + 1, **filters)),
            *_figures(row, long),
        ])  # fmt: skip
    return Table(
        "causes",
        "By cause",
        heads("Cause | Turns# | Share# | Steps, mean# | Most# | Cost# | The longest"),
        rows,
        note="A turn is counted once, by the first of these that holds for it: a runner that died, a failing "
        "model, a failing tool, wrong arguments, an answer sent back, a changed plan, a loop, look-ups.",
    )


def _topics(asked: Asked, topics: list[Row], long: int) -> Table:
    rows = [
        [
            Cell(
                row["topic"] or "no topic",
                href=asked.traces(topic=row["topic"], path=row["path"], min_steps=asked.more_than + 1),
            ),
            Cell(row["path"] or "–", row["path"]),
            *_figures(row, long),
        ]
        for row in topics[:SHOWN]
    ]
    return Table(
        "topics",
        "By topic and path",
        heads("Topic | Path | Turns# | Share# | Steps, mean# | Most# | Cost# | The longest"),
        rows,
    )


def _figures(row: Row, long: int) -> list[Cell]:
    share = row["turns"] / long
    return [
        Cell(f"{row['turns']:,}", row["turns"]),
        Cell(f"{share:.1%}", round(share, 4), bar=share),
        Cell(f"{row['steps']:.1f}", round(row["steps"], 2)),
        Cell(str(row["most"]), row["most"]),
        Cell(usd(row["cost"]), row["cost"]),
        Cell("its trace", str(row["example"]), f"/admin/traces/find/{row['example']}/"),
    ]


LONG_TURNS = Question(
    slug="long-turns",
    title="What caused more than 5 steps?",
    about="The turns that went on for long, and what made them.",
    answer=answer,
    filters=("surface", "path", "topic", "prompt", "more_than"),
)
