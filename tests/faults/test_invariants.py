"""Each question of the invariants can fail: whole conversations break none, and a planted wrong is found by its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from support_agent.agent.types import Outcome, Spend, StepKind, StepRecord, TurnState
from support_agent.models import Spend as Total
from support_agent.models import ToolCall
from support_agent.runtime.claims import claim
from support_agent.runtime.turns import checkpoint, finish
from tests.cast import Cast
from tests.faults.invariants import INVARIANTS, violations
from tests.runtime.conftest import begin, post
from tickets.models import Action, Effect, Refund, Ticket
from tickets.services.conversations import conversation_claim
from tickets.services.escalations import escalation_open

MESSAGE = (
    "id, created_at, conversation_id, role, author, text, html, client_message_id, turn_id, sources, attachments, seq"
)
COPY = f"INSERT INTO tickets_message ({MESSAGE}) SELECT gen_random_uuid(){MESSAGE[2:]} FROM tickets_message m WHERE "
TWICE = """INSERT INTO {table}
    SELECT (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid()))).* FROM {table} r"""
# What each wrong is made of; `a` is the conversation that was answered, `h` the one a person has.
PLANTS = {
    "I1.once": COPY + "conversation_id = %(a)s AND role = 'customer'",
    "I1.event": "DELETE FROM tickets_event WHERE conversation_id = %(a)s AND type = 'message' AND seq = 1",
    "I2.ended": "UPDATE support_agent_turn SET state = 'running' WHERE conversation_id = %(a)s",
    "I2.told": "DELETE FROM tickets_event WHERE conversation_id = %(a)s AND type = 'turn'",
    "I2.answered": "UPDATE tickets_message SET turn_id = NULL WHERE conversation_id = %(a)s AND role = 'assistant'",
    "I2.asked": "UPDATE tickets_message SET turn_id = NULL WHERE conversation_id = %(a)s AND role = 'customer'",
    "I2.owner": "UPDATE tickets_conversation SET status = 'waiting' WHERE id = %(a)s",
    "I2.effect": "UPDATE tickets_effect SET state = 'sending', settled_at = NULL",
    "I3.ticket": TWICE.format(table="tickets_ticket"),
    "I3.key": TWICE.format(table="support_agent_toolcall"),
    "I3.answer": COPY + "conversation_id = %(a)s AND role = 'assistant'",
    "I3.effect": TWICE.format(table="tickets_refund"),
    "I4.sum": "UPDATE tickets_order SET refunded_total = refunded_total + 1 WHERE order_number = 'AP-100001'",
    "I4.consent": "UPDATE tickets_action SET state = 'declined'",
    "I5.gapless": "UPDATE tickets_event SET seq = seq + 1 WHERE conversation_id = %(a)s AND type = 'turn'",
    "I6.steps": "UPDATE support_agent_step SET cost_usd = cost_usd + 0.000000001",
    "I6.totals": "UPDATE support_agent_spend SET reserved_usd = 0.01 WHERE scope = 'conversation'",
    "I6.settled": "UPDATE support_agent_turn SET reservation = '{}' WHERE conversation_id = %(a)s",
    "I7.own": 'UPDATE support_agent_toolcall SET arguments = \'{"order_number": "AP-200001"}\'',
    "I8.html": "UPDATE tickets_message SET html = '<p><IMG src=x>' WHERE conversation_id = %(a)s",
    "I9.limit": "UPDATE support_agent_turn SET cost_usd = 2.10 WHERE conversation_id = %(a)s",
    "I9.hour": "UPDATE support_agent_spend SET spent_usd = 60 WHERE scope = 'system'",
    "I10.silent": """WITH said AS (UPDATE tickets_event SET seq = 9 WHERE conversation_id = %(a)s AND seq = 2)
        INSERT INTO tickets_event (conversation_id, seq, type, payload, created_at)
        VALUES (%(a)s, 8, 'status', '{"status": "human"}', now())""",
}


def whole(cast: Cast) -> tuple[UUID, UUID]:
    """Two conversations in which everything happened as it should: answered, refunded, a ticket; with a person."""
    answered, held = begin(cast.owner), begin(cast.other)
    post(answered, "Please refund my lantern")
    turn = claim("somebody", 1)[0]
    cost = Decimal("0.01")
    checkpoint(turn, [StepRecord(0, StepKind.MODEL_CALL, spend=Spend(cost_usd=cost))], TurnState())
    finish(turn, Outcome("answered", "It is on its way."))
    for scope, key in (("conversation", str(answered.pk)), ("system", "all")):
        Total.objects.create(scope=scope, key=key, spent_usd=cost)
    common: dict[str, Any] = {"conversation": answered, "idempotency_key": "key"}
    order = {"order_number": "AP-100001"}
    action = Action.objects.create(
        **common, customer=cast.owner, tool="request_refund", arguments=order, state="done", expires_at=turn.created_at
    )
    now = turn.created_at
    Effect.objects.create(action=action, key="key", state="done", deadline_at=now, settled_at=now)
    Refund.objects.create(order=cast.delivered, action=action, amount=cost, reason="It leaks.", status="approved")
    ToolCall.objects.create(**common, turn=turn, tool="request_refund", arguments=order, status="success")
    Ticket.objects.create(
        **common, customer=cast.owner, number="T-1", subject="Leak", body="It leaks.", category="product"
    )
    escalation_open(conversation=held, reason="asked")
    conversation_claim(conversation_id=held.pk, staff=cast.agent)
    post(held, "Is somebody there?")
    return answered.pk, held.pk


@contextmanager
def unguarded() -> Iterator[Any]:
    """Without the database's own guards, which refuse most of what is planted here; undone with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("""
            SELECT 'ALTER TABLE ' || c.conrelid::regclass || ' DROP CONSTRAINT "' || c.conname || '"'
            FROM pg_constraint c
            WHERE c.contype IN ('u', 'c') AND c.conrelid::regclass::text ~ '^(tickets|support_agent)_'
            UNION ALL SELECT 'DROP INDEX ' || i.indexrelid::regclass FROM pg_index i
            WHERE i.indisunique AND NOT i.indisprimary AND i.indrelid::regclass::text ~ '^(tickets|support_agent)_'
            AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)
            UNION ALL SELECT 'ALTER TABLE tickets_order DISABLE TRIGGER USER'
            UNION ALL SELECT 'ALTER TABLE tickets_refund DISABLE TRIGGER USER'""")
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)
        yield cursor


def test_every_invariant_holds_and_can_fail(cast: Cast) -> None:
    answered, held = whole(cast)
    database = connection.connection
    assert violations(database, [answered, held]) == []
    assert set(PLANTS) == {invariant.id for invariant in INVARIANTS}
    with unguarded() as cursor:
        for name, plant in PLANTS.items():
            with transaction.atomic():
                cursor.execute(plant, {"a": answered, "h": held})
                found = {violation.split()[0] for violation in violations(database, [answered, held])}
                transaction.set_rollback(True)
            assert name in found, f"{name} is not found broken, only {found}"
        assert violations(database, [answered, held]) == []


def test_what_nobody_asks_about_is_not_looked_at(cast: Cast) -> None:
    answered, held = whole(cast)
    with unguarded() as cursor:
        cursor.execute(PLANTS["I2.ended"], {"a": answered})
        assert violations(connection.connection, [held]) == []
