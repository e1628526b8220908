"""I1 to I10 of the design as questions to the database: each selects what breaks a promise, and no row means it holds.

A question sees the conversations whose ids it is given. They are asked when everything has come to rest: a turn that
still runs then is one that will never end. `tests/faults/test_invariants.py` breaks each of them once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from support_agent.agent.config import LIMITS, SYSTEM_HOUR_USD


@dataclass(frozen=True, slots=True)
class Invariant:
    """`sql` selects the violations, one text each; %(ids)s are the conversations asked about."""

    id: str
    says: str
    sql: str


_LIMITS = ", ".join(f"('{surface}', {limits.conversation or 'NULL'}::numeric)" for surface, limits in LIMITS.items())

INVARIANTS = (
    Invariant(
        "I1.once",
        "no message of a client stands twice",
        """SELECT client_message_id::text FROM tickets_message
           WHERE conversation_id = ANY(%(ids)s) AND client_message_id IS NOT NULL
           GROUP BY conversation_id, client_message_id HAVING count(*) > 1""",
    ),
    Invariant(
        "I1.event",
        "each message has exactly its one event",
        """SELECT m.id::text FROM tickets_message m LEFT JOIN tickets_event e ON e.message_id = m.id AND e.seq = m.seq
           AND e.conversation_id = m.conversation_id
           WHERE m.conversation_id = ANY(%(ids)s) GROUP BY m.id HAVING count(e.id) <> 1""",
    ),
    Invariant(
        "I2.ended",
        "every turn has ended",
        """SELECT id::text || ' is ' || state || ', attempt ' || attempt FROM support_agent_turn
           WHERE conversation_id = ANY(%(ids)s) AND state NOT IN ('answered', 'escalated', 'failed')""",
    ),
    Invariant(
        "I2.told",
        "the customer was told how each turn ended, once",
        """SELECT t.id::text FROM support_agent_turn t LEFT JOIN tickets_event e ON e.type = 'turn'
           AND e.conversation_id = t.conversation_id AND e.payload->>'turn_id' = t.id::text
           WHERE t.conversation_id = ANY(%(ids)s) AND t.state IN ('answered', 'escalated', 'failed')
           GROUP BY t.id HAVING count(e.id) <> 1""",
    ),
    Invariant(
        "I2.answered",
        "an answered turn has its answer, unless it was stopped; a failed one a word on what to do",
        """SELECT t.id::text || ' ' || t.state FROM support_agent_turn t
           WHERE t.conversation_id = ANY(%(ids)s)
           AND (t.state = 'answered' AND t.stop_requested = '' OR t.state = 'failed')
           AND NOT EXISTS (SELECT 1 FROM tickets_message m WHERE m.turn_id = t.id
             AND m.role = CASE t.state WHEN 'failed' THEN 'system' ELSE 'assistant' END)""",
    ),
    Invariant(
        "I2.asked",
        "every message belongs to a turn, unless a person has the conversation",
        """SELECT m.id::text FROM tickets_message m
           WHERE m.conversation_id = ANY(%(ids)s) AND m.role = 'customer'
           AND NOT EXISTS (SELECT 1 FROM support_agent_turn t WHERE t.id = m.turn_id)
           AND coalesce((SELECT e.payload->>'status' FROM tickets_event e WHERE e.conversation_id = m.conversation_id
             AND e.type = 'status' AND e.seq < m.seq ORDER BY e.seq DESC LIMIT 1), 'ai') <> 'human'""",
    ),
    Invariant(
        "I2.owner",
        "who waits has an open escalation, and who is with a person has that person",
        """SELECT c.id::text || ' is ' || c.status FROM tickets_conversation c
           WHERE c.id = ANY(%(ids)s) AND (c.status = 'human' AND c.assignee_id IS NULL
             OR c.status = 'waiting' AND NOT EXISTS (SELECT 1 FROM tickets_escalation e
               WHERE e.conversation_id = c.id AND e.status IN ('waiting', 'claimed')))""",
    ),
    Invariant(
        "I2.effect",
        "what another system was to do is settled, or with a person",
        """SELECT e.key || ' is ' || e.state || ', its action ' || a.state FROM tickets_effect e
           JOIN tickets_action a ON a.id = e.action_id JOIN tickets_conversation c ON c.id = a.conversation_id
           WHERE c.id = ANY(%(ids)s) AND CASE e.state WHEN 'given_up' THEN c.status NOT IN ('waiting', 'human')
             WHEN 'done' THEN a.state NOT IN ('done', 'undone') WHEN 'refused' THEN a.state = 'confirmed' ELSE true END
           UNION ALL SELECT a.id::text || ' has no effect' FROM tickets_action a
           WHERE a.conversation_id = ANY(%(ids)s) AND a.state = 'confirmed'
           AND NOT EXISTS (SELECT 1 FROM tickets_effect e WHERE e.action_id = a.id)""",
    ),
    Invariant(
        "I3.ticket",
        "no ticket was opened twice",
        """SELECT subject FROM tickets_ticket WHERE conversation_id = ANY(%(ids)s)
           GROUP BY conversation_id, subject, body HAVING count(*) > 1""",
    ),
    Invariant(
        "I3.key",
        "no key was used twice, by a tool call or an action",
        """SELECT idempotency_key FROM support_agent_toolcall WHERE conversation_id = ANY(%(ids)s)
           GROUP BY idempotency_key HAVING count(*) > 1
           UNION ALL SELECT idempotency_key FROM tickets_action WHERE conversation_id = ANY(%(ids)s)
           GROUP BY idempotency_key HAVING count(*) > 1""",
    ),
    Invariant(
        "I3.answer",
        "no turn has two answers, no conversation two open escalations",
        """SELECT turn_id::text FROM tickets_message WHERE conversation_id = ANY(%(ids)s) AND role = 'assistant'
           AND turn_id IS NOT NULL GROUP BY turn_id HAVING count(*) > 1
           UNION ALL SELECT conversation_id::text FROM tickets_escalation WHERE conversation_id = ANY(%(ids)s)
           AND status IN ('waiting', 'claimed') GROUP BY conversation_id HAVING count(*) > 1""",
    ),
    Invariant(
        "I3.effect",
        "no action made two refunds or two returns",
        """SELECT r.action_id::text FROM tickets_refund r JOIN tickets_action a ON a.id = r.action_id
           WHERE a.conversation_id = ANY(%(ids)s) GROUP BY r.action_id HAVING count(*) > 1
           UNION ALL SELECT r.action_id::text FROM tickets_return r JOIN tickets_action a ON a.id = r.action_id
           WHERE a.conversation_id = ANY(%(ids)s) GROUP BY r.action_id HAVING count(*) > 1""",
    ),
    Invariant(
        "I4.sum",
        "what was given back is the sum of the refunds, and within what was paid",
        """SELECT o.order_number FROM tickets_order o
           WHERE o.customer_id IN (SELECT customer_id FROM tickets_conversation WHERE id = ANY(%(ids)s))
           AND (o.refunded_total > o.paid_total OR o.refunded_total <> (SELECT coalesce(sum(amount), 0)
             FROM tickets_refund r WHERE r.order_id = o.id AND r.status <> 'rejected'))""",
    ),
    Invariant(
        "I4.consent",
        "money went only where the customer clicked, or staff decided",
        """SELECT r.id::text FROM tickets_refund r LEFT JOIN tickets_action a ON a.id = r.action_id
           JOIN tickets_order o ON o.id = r.order_id
           WHERE o.customer_id IN (SELECT customer_id FROM tickets_conversation WHERE id = ANY(%(ids)s))
           AND r.approved_by_id IS NULL AND coalesce(a.state NOT IN ('done', 'undone'), true)""",
    ),
    Invariant(
        "I5.gapless",
        "the events of a conversation are numbered from 1 without a gap, up to its last",
        """SELECT c.id::text || ': ' || count(e.id) || ' events up to ' || max(e.seq) || ', last is ' || c.last_seq
           FROM tickets_conversation c LEFT JOIN tickets_event e ON e.conversation_id = c.id
           WHERE c.id = ANY(%(ids)s) GROUP BY c.id
           HAVING count(e.id) <> c.last_seq OR coalesce(max(e.seq), 0) <> c.last_seq""",
    ),
    Invariant(
        "I6.steps",
        "a turn costs what its steps cost",
        """SELECT t.id::text || ': ' || t.cost_usd || ', its steps ' || coalesce(sum(s.cost_usd), 0)
           FROM support_agent_turn t LEFT JOIN support_agent_step s ON s.turn_id = t.id
           WHERE t.conversation_id = ANY(%(ids)s) GROUP BY t.id HAVING t.cost_usd <> coalesce(sum(s.cost_usd), 0)""",
    ),
    Invariant(
        "I6.totals",
        "a conversation's total is what its turns cost, and holds no reservation",
        """SELECT p.key || ': ' || p.spent_usd || ' and ' || p.reserved_usd || ', its turns ' || sum(t.cost_usd)
           FROM support_agent_spend p JOIN support_agent_turn t ON t.conversation_id::text = p.key
           WHERE p.scope = 'conversation' AND t.conversation_id = ANY(%(ids)s)
           GROUP BY p.id HAVING p.spent_usd <> sum(t.cost_usd) OR p.reserved_usd <> 0""",
    ),
    Invariant(
        "I6.settled",
        "nothing stays reserved for a turn that has ended",
        """SELECT id::text FROM support_agent_turn WHERE conversation_id = ANY(%(ids)s)
           AND reservation IS NOT NULL AND state IN ('answered', 'escalated', 'failed')""",
    ),
    Invariant(
        "I7.own",
        "what was done for a conversation was done for its own customer",
        """SELECT 'action ' || a.id FROM tickets_action a JOIN tickets_conversation c ON c.id = a.conversation_id
           WHERE c.id = ANY(%(ids)s) AND a.customer_id IS DISTINCT FROM c.customer_id
           UNION ALL SELECT 'ticket ' || k.number FROM tickets_ticket k
           JOIN tickets_conversation c ON c.id = k.conversation_id
           WHERE c.id = ANY(%(ids)s) AND k.customer_id IS NOT NULL AND k.customer_id IS DISTINCT FROM c.customer_id
           UNION ALL SELECT 'call ' || l.id FROM support_agent_toolcall l
           JOIN tickets_conversation c ON c.id = l.conversation_id
           JOIN tickets_order o ON o.order_number = l.arguments->>'order_number'
           WHERE c.id = ANY(%(ids)s) AND l.status IN ('success', 'pending_confirmation', 'awaiting_staff')
           AND o.customer_id IS DISTINCT FROM c.customer_id""",
    ),
    Invariant(
        "I8.html",
        "no rendered message runs, loads or leads anywhere by script",
        r"""SELECT id::text FROM tickets_message WHERE conversation_id = ANY(%(ids)s)
            AND html ~* '<(script|img|iframe|object|embed|link|style|svg|form|base|meta)\M|\son\w+\s*=|script:'""",
    ),
    Invariant(
        "I9.limit",
        "no conversation spent past its hard limit by more than one call",
        f"""SELECT c.id::text || ' spent ' || sum(t.cost_usd) FROM tickets_conversation c
            JOIN support_agent_turn t ON t.conversation_id = c.id
            WHERE c.id = ANY(%(ids)s) GROUP BY c.id
            HAVING sum(t.cost_usd) > (SELECT max(l.usd) FROM (VALUES {_LIMITS}) l (surface, usd)
              JOIN support_agent_turn u ON u.surface = l.surface WHERE u.conversation_id = c.id)
            + (SELECT coalesce(max(s.cost_usd), 0) FROM support_agent_step s
               JOIN support_agent_turn u ON u.id = s.turn_id WHERE u.conversation_id = c.id)""",
    ),
    Invariant(
        "I9.hour",
        "no hour of the system went past its hard limit by more than one call",
        f"""SELECT key || ' ' || period || ' spent ' || spent_usd FROM support_agent_spend
            WHERE scope = 'system'
            AND spent_usd > {SYSTEM_HOUR_USD} + (SELECT coalesce(max(cost_usd), 0) FROM support_agent_step)""",
    ),
    Invariant(
        "I10.silent",
        "the assistant says nothing while a person has the conversation",
        """SELECT e.conversation_id::text || ' at ' || e.seq FROM tickets_event e
           JOIN tickets_message m ON m.id = e.message_id AND m.role = 'assistant'
           WHERE e.conversation_id = ANY(%(ids)s)
           AND (SELECT s.payload->>'status' FROM tickets_event s WHERE s.conversation_id = e.conversation_id
             AND s.type = 'status' AND s.seq < e.seq ORDER BY s.seq DESC LIMIT 1) IN ('human', 'closed')""",
    ),
)


def violations(database: psycopg.Connection[Any], ids: Sequence[UUID]) -> list[str]:
    """Everything that breaks a promise in these conversations, one sentence each."""
    if not ids:
        return []
    found = []
    for invariant in INVARIANTS:
        rows = database.execute(invariant.sql.encode(), {"ids": list(ids)}).fetchall()
        found += [f"{invariant.id} ({invariant.says}): {row[0]}" for row in rows]
    return found
