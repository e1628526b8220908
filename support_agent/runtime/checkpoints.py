"""A checkpoint is one statement: steps, the turn's totals and state, and the settling of what its call had reserved."""

from __future__ import annotations

from collections.abc import Sequence

from support_agent.agent.types import Spend, StepRecord, TurnState
from support_agent.models import Step, Turn
from support_agent.runtime.steps import step_rows
from tickets.sql import as_json, prepared, with_columns

# `held` is whether the turn is still this attempt's: then its state goes along. `settles` is whether the reservation is
# the one this attempt made: it is settled once, whoever has the turn by now. Where neither is so, nothing is written.
_WRITE = """
WITH seen AS MATERIALIZED (
  SELECT id, attempt = %(attempt)s AND state = 'running' AS held,
    coalesce(reservation = %(reservation)s::jsonb, false) AS settles
  FROM support_agent_turn WHERE id = %(turn)s FOR NO KEY UPDATE
), kept AS MATERIALIZED (
  SELECT * FROM seen WHERE held OR settles
), totals AS MATERIALIZED (
  SELECT s.id FROM kept, unnest(%(scopes)s::text[], %(keys)s::text[], %(periods)s::text[])
    WITH ORDINALITY AS w (scope, key, period, place)
  JOIN support_agent_spend s ON s.scope = w.scope AND s.key = w.key AND s.period = w.period
  WHERE kept.settles ORDER BY w.place FOR NO KEY UPDATE OF s
), settled AS (
  UPDATE support_agent_spend s SET spent_usd = s.spent_usd + %(cost)s::numeric,
    reserved_usd = greatest(0, s.reserved_usd - %(reserved)s::numeric)
  FROM totals WHERE s.id = totals.id
), noted AS (
  UPDATE support_agent_turn t SET
    checkpoint = CASE WHEN held THEN %(checkpoint)s::jsonb ELSE t.checkpoint END,
    path = CASE WHEN held THEN %(path)s ELSE t.path END,
    topic = CASE WHEN held THEN %(topic)s ELSE t.topic END,
    confidence = CASE WHEN held THEN %(confidence)s::float8 ELSE t.confidence END,
    doubtful = CASE WHEN held THEN %(doubtful)s ELSE t.doubtful END,
    cautious = CASE WHEN held THEN %(cautious)s ELSE t.cautious END,
    tools_offered = CASE WHEN held THEN %(tools)s::jsonb ELSE t.tools_offered END,
    prompt_version = CASE WHEN held THEN %(prompt)s ELSE t.prompt_version END,
    reservation = CASE WHEN settles THEN NULL ELSE t.reservation END,
    step_count = step_count + %(steps_taken)s,
    input_tokens = input_tokens + %(input_tokens)s,
    output_tokens = output_tokens + %(output_tokens)s,
    cache_read_tokens = cache_read_tokens + %(cache_read_tokens)s,
    cache_write_tokens = cache_write_tokens + %(cache_write_tokens)s,
    cost_usd = cost_usd + %(cost)s::numeric,
    cost_estimated = cost_estimated OR %(estimated)s
  FROM kept WHERE t.id = kept.id
), taken AS (
  INSERT INTO support_agent_step ({columns})
  SELECT {columns} FROM jsonb_populate_recordset(NULL::support_agent_step, %(steps)s::jsonb)
  WHERE EXISTS (SELECT FROM kept)
)
SELECT held, settles FROM seen
"""


def write_checkpoint(turn: Turn, records: Sequence[StepRecord], state: TurnState, spend: Spend) -> tuple[bool, bool]:
    """Write it: (whether the turn is still ours, whether its reservation was settled); nothing where both are false."""
    usage, reservation = spend.usage, turn.reservation
    rows = reservation["rows"] if reservation else []
    found = prepared(
        with_columns(Step, _WRITE),
        {
            "turn": turn.pk,
            "attempt": turn.attempt,
            "reservation": as_json(reservation) if reservation else None,
            "reserved": reservation["usd"] if reservation else 0,
            "scopes": [scope for scope, _, _ in rows],
            "keys": [key for _, key, _ in rows],
            "periods": [period for _, _, period in rows],
            "cost": spend.cost_usd,
            "estimated": spend.estimated,
            "checkpoint": as_json(state.as_json()),
            "path": state.path,
            "topic": turn.topic,
            "confidence": state.confidence,
            "doubtful": state.doubtful,
            "cautious": state.cautious,
            "tools": as_json(state.tools),
            "prompt": turn.prompt_version,
            "steps_taken": len(records),
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cache_read_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "steps": step_rows(turn, records, turn.attempt),
        },
    )
    return found[0] if found else (False, False)
