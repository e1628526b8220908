"""A turn that was really taken, and a replay of it over a script of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection

from support_agent.models import Replay, Turn
from support_agent.runtime.replay import replay_create, run_replay
from tests.fakes.messages_api import FakeMessagesAPI
from tests.fakes.scripted import Line, ScriptedModel
from tests.runtime.conftest import client_of, rig
from tickets.db import in_db

__all__ = ["Again", "again", "counted", "rig"]
PLAN: dict[str, Any] = {
    "goal": "Know about an order.",
    "topic": "order status",
    "subject": "orders",
    "in_scope": True,
    "complexity": "medium",
    "confidence": 0.9,
    "steps": [{"type": "gather_info", "priority": "required", "description": "Look it up."}],
    "is_complete": False,
}
ACTING = {**PLAN, "steps": [*PLAN["steps"], {"type": "take_action", "priority": "required", "description": "Do it."}]}
MAY_CHANGE = {"support_agent_replay", "support_agent_spend", "support_agent_heartbeat"}


@dataclass
class Again:
    """`take` replays a turn over the lines; `asked` is what the model was sent for the last one."""

    asked: list[dict[str, Any]] = field(default_factory=list)

    async def take(self, turn: Turn, *lines: Line, **options: Any) -> Replay:
        made = await in_db(replay_create, turn_id=turn.pk, **options)
        script = ScriptedModel(*lines)
        client = client_of(FakeMessagesAPI(script))
        try:
            return await run_replay(made.pk, client)
        finally:
            self.asked = script.asked
            await client.aclose()


@pytest.fixture
def again() -> Again:
    return Again()


def counted() -> dict[str, str]:
    """A checksum of every table's rows, but of those a replay may write."""
    found: dict[str, str] = {}
    with connection.cursor() as cursor:
        for table in sorted(set(connection.introspection.table_names(cursor)) - MAY_CHANGE):
            cursor.execute(f"SELECT count(*), md5(string_agg(md5(t::text), '' ORDER BY t::text)) FROM \"{table}\" t")
            found[table] = str(cursor.fetchone())
    return found
