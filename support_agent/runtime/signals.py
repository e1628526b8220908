"""How the desk wakes the runners: PostgreSQL's NOTIFY, delivered when the transaction commits."""

from __future__ import annotations

from uuid import UUID

from django.db import connection

from tickets.sql import prepared

CHANNEL = "turns"
_WAKE_BEHIND = """
SELECT pg_notify(%(channel)s, 'queued') FROM support_agent_turn
WHERE conversation_id = %(conversation)s AND state = 'queued'
"""


def wake() -> None:
    """A turn waits to be claimed."""
    _notify("queued")


def wake_behind(conversation_id: UUID) -> None:
    """A turn of this conversation has ended: what waited behind it may run now."""
    prepared(_WAKE_BEHIND, {"channel": CHANNEL, "conversation": conversation_id})


def stop(turn_id: UUID, why: str) -> None:
    """Whoever runs this turn must end it now."""
    _notify(f"stop {turn_id} {why}")


def _notify(payload: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])
