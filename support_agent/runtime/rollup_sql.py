"""How rows become sums: one statement for each table. The pages read hours that are not summed yet with the same ones.

Each selects from the rows of [%(start)s, %(end)s) and groups by stretches of %(width)s seconds in the column `at`.
"""

# ruff: noqa: S608 - the statements are put together from constants of these modules

from __future__ import annotations

from support_agent.models.rollups import STEP_KEY, TALLY_KEY, TURN_KEY

TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
STEP_SUMS = ("steps", "duration_ms", *TOKENS, "cost_usd")
TURN_SUMS = ("turns", "conversations", "steps", *TOKENS, "cost_usd")
TALLY_SUMS = ("number", "cost_usd")


def _at(column: str) -> str:
    return f"to_timestamp(floor(extract(epoch FROM {column}) / %(width)s) * %(width)s)"


STEPS = f"""
SELECT {_at("s.created_at")} AS at, t.surface, s.kind, s.model, s.tool, s.status, t.prompt_version,
       count(*) AS steps, sum(s.duration_ms) AS duration_ms,
       {", ".join(f"sum(s.{name}) AS {name}" for name in TOKENS)}, sum(s.cost_usd) AS cost_usd
FROM support_agent_step s JOIN support_agent_turn t ON t.id = s.turn_id
WHERE s.created_at >= %(start)s AND s.created_at < %(end)s
GROUP BY 1, 2, 3, 4, 5, 6, 7
"""

# A conversation is counted with its first turn. Tasks of programs are none.
TURNS = f"""
SELECT {_at("t.created_at")} AS at, t.surface, t.path, t.topic, t.state, t.prompt_version, count(*) AS turns,
       count(*) FILTER (WHERE c.channel <> 'task' AND NOT EXISTS (
           SELECT 1 FROM support_agent_turn e
           WHERE e.conversation_id = t.conversation_id AND (e.created_at, e.id) < (t.created_at, t.id)
       )) AS conversations,
       sum(t.step_count) AS steps,
       {", ".join(f"sum(t.{name}) AS {name}" for name in TOKENS)}, sum(t.cost_usd) AS cost_usd
FROM support_agent_turn t JOIN tickets_conversation c ON c.id = t.conversation_id
WHERE t.created_at >= %(start)s AND t.created_at < %(end)s
GROUP BY 1, 2, 3, 4, 5, 6
"""

# A model call that asked for tools is shared out among them in equal parts, as `costs --by tool` does it. Claims are
# those of accepted answers, which are backed, and those for which a draft was refused.
TALLIES = f"""
WITH t AS MATERIALIZED (
    SELECT {_at("t.created_at")} AS at, t.step_count, t.cost_usd, c.customer_id,
           extract(hour FROM t.created_at AT TIME ZONE 'UTC')::int AS clock,
           extract(epoch FROM t.finished_at - t.created_at)::float8 * 1000 AS whole_ms,
           extract(epoch FROM t.first_text_at - t.created_at)::float8 * 1000 AS first_ms
    FROM support_agent_turn t JOIN tickets_conversation c ON c.id = t.conversation_id
    WHERE t.created_at >= %(start)s AND t.created_at < %(end)s
), s AS MATERIALIZED (
    SELECT {_at("s.created_at")} AS at, s.kind, s.model, s.tool, s.duration_ms::float8, s.ttft_ms::float8, s.cost_usd,
           CASE WHEN s.model <> '' AND jsonb_typeof(s.output->'content') = 'array'
                THEN jsonb_path_query_array(s.output, '$.content[*] ? (@.type == "tool_use").name') END AS asked,
           CASE WHEN s.kind = 'critic' AND s.status = 'ok' AND jsonb_typeof(s.output->'words') = 'number'
                THEN least((s.output->>'words')::numeric, 999)::int END AS words
    FROM support_agent_step s WHERE s.created_at >= %(start)s AND s.created_at < %(end)s
), c AS MATERIALIZED (
    SELECT {_at("s.created_at")} AS at, t.surface, s.status = 'ok' AS accepted, s.output
    FROM support_agent_step s JOIN support_agent_turn t ON t.id = s.turn_id
    WHERE s.kind = 'critic' AND s.created_at >= %(start)s AND s.created_at < %(end)s
), one AS (
    SELECT at, 'turn' AS measure, '' AS name, width_bucket(whole_ms, %(bounds)s) AS bucket, 0 AS usd
    FROM t WHERE whole_ms IS NOT NULL
    UNION ALL SELECT at, 'first_text', '', width_bucket(first_ms, %(bounds)s), 0 FROM t WHERE first_ms IS NOT NULL
    UNION ALL SELECT at, 'steps', '', least(step_count, 26), 0 FROM t WHERE whole_ms IS NOT NULL
    UNION ALL SELECT at, 'clock', '', clock, cost_usd FROM t
    UNION ALL SELECT at, 'customer', customer_id::text, 0, cost_usd FROM t WHERE customer_id IS NOT NULL
    UNION ALL SELECT at, 'model', model, width_bucket(duration_ms, %(bounds)s), 0 FROM s WHERE model <> ''
    UNION ALL SELECT at, 'first_token', model, width_bucket(ttft_ms, %(bounds)s), 0
              FROM s WHERE model <> '' AND ttft_ms IS NOT NULL
    UNION ALL SELECT at, 'tool', tool, width_bucket(duration_ms, %(bounds)s), 0 FROM s WHERE kind = 'tool_call'
    UNION ALL SELECT at, 'words', '', words, 0 FROM s WHERE words IS NOT NULL
    UNION ALL SELECT at, 'asked', left(name, 64), 0, cost_usd / jsonb_array_length(asked)
              FROM s CROSS JOIN LATERAL jsonb_array_elements_text(asked) name
    UNION ALL SELECT at, 'claim', surface, 1, 0 FROM c CROSS JOIN LATERAL jsonb_path_query(output, '$.claims[*]')
              WHERE accepted
    UNION ALL SELECT at, 'claim', surface, 0, 0
              FROM c CROSS JOIN LATERAL jsonb_path_query(output, '$.issues[*] ? (@.rule starts with "unbacked_")')
              WHERE NOT accepted
)
SELECT at, measure, name, bucket, count(*) AS number, sum(usd) AS cost_usd FROM one GROUP BY 1, 2, 3, 4
"""

# (table without its grain, the statement over rows, what makes a sum its own, what is added up)
SUMS = (
    ("support_agent_step", STEPS, STEP_KEY, STEP_SUMS),
    ("support_agent_turn", TURNS, TURN_KEY, TURN_SUMS),
    ("support_agent_tally", TALLIES, TALLY_KEY, TALLY_SUMS),
)


def hours_of(table: str, select: str, key: tuple[str, ...], sums: tuple[str, ...]) -> str:
    """The statement that fills hours from rows; its stretches are hours, its width is 3600."""
    columns = ", ".join((*key, *sums))
    return f"INSERT INTO {table}hour (hour, {columns}) SELECT at, {columns} FROM ({select}) summed"


def days_of(table: str, key: tuple[str, ...], sums: tuple[str, ...]) -> str:
    """The statement that fills the days of [%(start)s, %(end)s) from their hours."""
    columns, keys = ", ".join((*key, *sums)), ", ".join(key)
    added = ", ".join(f"sum({name})" for name in sums)
    return (
        f"INSERT INTO {table}day (day, {columns}) SELECT date_trunc('day', hour, 'UTC'), {keys}, {added} "
        f"FROM {table}hour WHERE hour >= %(start)s AND hour < %(end)s GROUP BY date_trunc('day', hour, 'UTC'), {keys}"
    )
