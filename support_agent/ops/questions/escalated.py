"""Why did conversations escalate, and what was the last tool call before it?"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from support_agent.models import Turn
from support_agent.ops.questions.base import Answer, Asked, Cell, Question, Table, heads, many, part
from support_agent.ops.questions.sql import Row, rows_of, turn_conditions
from tickets.models import Conversation, EscalationReason

EXAMPLES = 25
SHOWN = 40
NO_TOOL = "no tool before it"

# The call to hand over is not what one asks for: the last look-up or change before it is.
_STATEMENT = """
SELECT e.id, e.reason, e.summary, e.created_at, e.conversation_id, c.reference, turn.id AS turn_id,
       coalesce(turn.topic, c.topic) AS topic, last.id AS call_id, last.tool, last.status
FROM tickets_escalation e
JOIN tickets_conversation c ON c.id = e.conversation_id
LEFT JOIN LATERAL (
    SELECT t.* FROM support_agent_turn t
    WHERE t.conversation_id = e.conversation_id AND t.created_at <= e.created_at
    ORDER BY t.created_at DESC, t.id DESC LIMIT 1
) turn ON true
LEFT JOIN LATERAL (
    SELECT k.id, k.tool, k.status FROM support_agent_toolcall k
    WHERE k.conversation_id = e.conversation_id AND k.created_at <= e.created_at AND k.tool <> 'escalate_to_human'
    ORDER BY k.created_at DESC, k.id DESC LIMIT 1
) last ON true
WHERE e.created_at >= %(start)s AND e.created_at < %(end)s{conditions}
ORDER BY e.created_at DESC
"""


def answer(asked: Asked) -> Answer:
    conditions, values = turn_conditions(asked, "turn")
    if asked.tool:
        conditions += " AND last.tool = %(tool)s"
        values["tool"] = asked.tool
    found = rows_of(_STATEMENT.format(conditions=conditions), values)
    return Answer(
        _sentence(asked, found), [_reasons(asked, found), _pairs(asked, found), _examples(found)] if found else []
    )


def _sentence(asked: Asked, found: list[Row]) -> str:
    talks = Turn.objects.filter(asked.in_span(), asked.turns()).exclude(conversation__channel=Conversation.Channel.TASK)
    talked = talks.values("conversation").distinct().count()
    escalated = len({row["conversation_id"] for row in found})
    if not found:
        return f"No conversation escalated {asked.words}; the assistant took turns in {many(talked, 'conversation')}."
    reason, count = _most(found, "reason")
    inside = [row for row in found if row["reason"] == reason]
    tool, tools = _most(inside, "tool")
    before = f"{_named(tool)} was the last tool call before {tools:,} of them" if tool else \
        f"{tools:,} of them had called no tool before"  # fmt: skip
    return (
        f"{many(escalated, 'conversation')} escalated {asked.words}, of {talked:,} with the assistant. "
        f"Most often the reason was “{_label(reason)}” ({part(count, len(found))}); {before}."
    )  # fmt: skip


def _reasons(asked: Asked, found: list[Row]) -> Table:
    rows = []
    for reason, group in _groups(found, "reason"):
        tool, _ = _most(group, "tool")
        share = len(group) / len(found)
        rows.append([
            Cell(_label(reason), reason, asked.traces(reason=reason)),
            Cell(f"{len(group):,}", len(group)),
            Cell(f"{share:.1%}", round(share, 4), bar=share),
            Cell(_named(tool), tool or "", asked.traces(reason=reason, tool=tool) if tool else ""),
            Cell(_label_status(_most(group, "status")[0])),
        ])  # fmt: skip
    return Table(
        "reasons", "By reason", heads("Reason | Escalations# | Share# | Last tool, most often | It answered"), rows
    )


def _pairs(asked: Asked, found: list[Row]) -> Table:
    counts: dict[tuple[str, str, str], int] = defaultdict(int)
    for row in found:
        counts[row["tool"] or "", row["status"] or "", row["reason"]] += 1
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:SHOWN]
    rows = [
        [
            Cell(_named(tool), tool),
            Cell(_label_status(status), status),
            Cell(_label(reason), reason),
            Cell(f"{count:,}", count, asked.traces(reason=reason, tool=tool)),
            Cell(part(count, len(found)), round(count / len(found), 4), bar=count / len(found)),
        ]
        for (tool, status, reason), count in ranked
    ]
    return Table("last-calls", "Last tool call, what it answered, and the reason",
                 heads("Last tool call | It answered | Reason | Escalations# | Share#"), rows)  # fmt: skip


def _examples(found: list[Row]) -> Table:
    rows = [
        [
            Cell(row["reference"], href=f"/admin/traces/find/{row['id']}/"),
            Cell(f"{row['created_at']:%-d %b, %H:%M}", row["created_at"].isoformat()),
            Cell(_label(row["reason"]), row["reason"]),
            Cell(
                _named(row["tool"]),
                row["tool"] or "",
                f"/admin/traces/find/{row['call_id']}/" if row["call_id"] else "",
            ),
            Cell(_label_status(row["status"]), row["status"] or ""),
            Cell(row["summary"][:160]),
        ]
        for row in found[:EXAMPLES]
    ]
    return Table(
        "latest",
        "The latest",
        heads("Conversation | When | Reason | Last tool call | It answered | Summary"),
        rows,
    )


def _groups(found: list[Row], name: str) -> list[tuple[str, list[Row]]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in found:
        groups[row[name]].append(row)
    return sorted(groups.items(), key=lambda item: -len(item[1]))


def _most(found: list[Row], name: str) -> tuple[Any, int]:
    """The value that most rows have, and how many."""
    counts: dict[Any, int] = defaultdict(int)
    for row in found:
        counts[row[name]] += 1
    return max(counts.items(), key=lambda item: item[1])


def _label(reason: str) -> str:
    return str(EscalationReason(reason).label) if reason in EscalationReason.values else reason


def _label_status(status: str | None) -> str:
    return (status or "–").replace("_", " ")


def _named(tool: str | None) -> str:
    return tool or NO_TOOL


ESCALATED = Question(
    slug="escalations",
    title="Why did conversations escalate, and what was the last tool call?",
    about="Reasons, and what the assistant had tried last before a person was asked for.",
    answer=answer,
    filters=("surface", "path", "topic", "tool", "prompt"),
)
