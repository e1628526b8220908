"""Long conversations without talking: the one turn somebody had is copied in PostgreSQL, row for row."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg

# Each statement is one of a session; a copy is its original as JSON with a few fields set.
WANTED = "CREATE TEMP TABLE wanted (conversation_id uuid, length int)"
WANT = "INSERT INTO wanted VALUES (%s, %s)"
# A minute lies between two turns, and between the last one and now: what is remembered goes by time too.
OLD = "IN (SELECT old FROM copies)"
FIRST = {  # the original's own rows
    "support_agent_turn": f"x.id {OLD}",
    "support_agent_toolcall": f"x.turn_id {OLD}",
    "tickets_message": f"x.turn_id {OLD}",
    "tickets_event": "x.seq <= c.last_seq",
}
COPY = (
    """
    CREATE TEMP TABLE copies AS
    SELECT t.conversation_id, t.id AS old, uuidv7() AS new, n, n * c.last_seq AS seqs,
        (n - w.length) * interval '1 minute' AS later
    FROM wanted w JOIN tickets_conversation c ON c.id = w.conversation_id
    JOIN support_agent_turn t ON t.conversation_id = c.id, generate_series(1, w.length - 1) n ORDER BY n
    """,
    """
    CREATE TEMP TABLE said AS
    SELECT m.id AS old, uuidv7() AS new, c.new AS turn, c.seqs, c.later
    FROM copies c JOIN tickets_message m ON m.turn_id = c.old ORDER BY c.n, m.seq
    """,
    """
    INSERT INTO support_agent_turn SELECT copy.* FROM copies c JOIN support_agent_turn t ON t.id = c.old
    JOIN said s ON s.turn = c.new AND s.old = t.message_id,
    jsonb_populate_record(t, jsonb_build_object('id', c.new, 'message_id', s.new, 'created_at', t.created_at + c.later))
        AS copy
    """,
    """
    INSERT INTO tickets_message SELECT copy.* FROM said s JOIN tickets_message m ON m.id = s.old,
    jsonb_populate_record(m, jsonb_build_object(
        'id', s.new, 'turn_id', s.turn, 'seq', m.seq + s.seqs, 'created_at', m.created_at + s.later,
        'client_message_id', CASE WHEN m.client_message_id IS NOT NULL THEN gen_random_uuid() END)) AS copy
    """,
    """
    INSERT INTO tickets_event SELECT copy.*
    FROM copies c JOIN tickets_event e ON e.conversation_id = c.conversation_id AND e.seq <= c.seqs / c.n
    LEFT JOIN said s ON s.turn = c.new AND s.old = e.message_id,
    jsonb_populate_record(e, jsonb_build_object(
        'id', nextval(pg_get_serial_sequence('tickets_event', 'id')), 'seq', e.seq + c.seqs, 'message_id', s.new,
        'created_at', e.created_at + c.later,
        'payload', CASE WHEN e.payload ? 'turn_id' THEN e.payload || jsonb_build_object('turn_id', c.new)
                   ELSE e.payload END)) AS copy
    """,
    """
    INSERT INTO support_agent_step SELECT copy.* FROM copies c JOIN support_agent_step s ON s.turn_id = c.old,
    jsonb_populate_record(s, jsonb_build_object(
        'id', uuidv7(), 'turn_id', c.new, 'created_at', s.created_at + c.later)) AS copy
    """,
    """
    INSERT INTO support_agent_toolcall SELECT copy.*
    FROM copies c JOIN support_agent_toolcall t ON t.turn_id = c.old,
    jsonb_populate_record(t, jsonb_build_object(
        'id', uuidv7(), 'turn_id', c.new, 'idempotency_key', c.new || ':' || t.tool_use_id,
        'created_at', t.created_at + c.later)) AS copy
    """,
    """
    UPDATE support_agent_step s SET created_at = s.created_at - w.length * interval '1 minute'
    FROM wanted w JOIN support_agent_turn t USING (conversation_id) JOIN copies c ON c.old = t.id AND c.n = 1
    WHERE s.turn_id = t.id
    """,
    *(
        f"""
        UPDATE {table} x SET created_at = x.created_at - w.length * interval '1 minute'
        FROM wanted w JOIN tickets_conversation c ON c.id = w.conversation_id
        WHERE w.length > 1 AND x.conversation_id = c.id AND {first}
        """
        for table, first in FIRST.items()
    ),
    """
    UPDATE tickets_conversation c SET last_seq = c.last_seq * w.length FROM wanted w WHERE w.conversation_id = c.id
    """,
)


def lengthen(url: str, lengths: Mapping[str, int]) -> None:
    """Let each of these conversations, of one answered turn each, have had so many; {conversation's id: turns}."""
    with psycopg.connect(url) as database:
        database.execute(WANTED)
        database.cursor().executemany(WANT, list(lengths.items()))
        for statement in COPY:
            database.execute(statement.encode())
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("VACUUM ANALYZE")
