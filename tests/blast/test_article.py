"""A draft of an article, before it is saved: which past answers would be others, and that no reader ever sees it."""

from __future__ import annotations

import pytest

from support_agent.models import Replay
from tests.blast.conftest import CARDS, RETURNS, SENDING, WASHING, Desk, drafted, verdicts
from tests.replay.conftest import counted
from tickets.db import in_db

pytestmark = pytest.mark.timeout(120)


async def test_a_changed_fact_touches_those_who_were_told_it(desk: Desk) -> None:
    for text in (RETURNS, SENDING, CARDS, WASHING):
        turn = await desk.ask(text)
        print(text, turn.state, turn.path)
    change = await in_db(drafted, "return-an-item", "within 30 days", "within 14 days")
    radius = await desk.under(**change)
    for r in await in_db(lambda: list(Replay.objects.all())):
        print(r.verdict, r.is_baseline, r.text, r.error, [(s['kind'], s.get('tool'), s.get('how')) for s in r.steps])
    print(radius.state, radius.error, radius.touched)
    assert await in_db(verdicts, radius) == {RETURNS: "otherwise"}
