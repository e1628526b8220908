"""How the desk wakes the runners: PostgreSQL's NOTIFY, delivered when the transaction commits."""

from __future__ import annotations

from uuid import UUID

from django.db import connection

CHANNEL = "turns"


def wake() -> None:
    """A turn waits to be claimed."""
    _notify("queued")


def stop(turn_id: UUID, why: str) -> None:
    """Whoever runs this turn must end it now."""
    _notify(f"stop {turn_id} {why}")


def _notify(payload: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])
