"""A radius holds its budget, stops when it is told to, goes on after its worker died, and forgets who was erased."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from support_agent.models import BlastRadius, Replay, RunState, Spend, SurfaceLimit, SystemLimit
from support_agent.privacy.rows import erase_conversation
from support_agent.runtime.blast import blast_create, blast_stop, blasts_repair, run_blast, run_blast_job
from support_agent.runtime.controls import forget
from tests.blast.conftest import CARDS, RETURNS, WASHING, Desk, drafted, verdicts
from tickets.db import in_db
from tickets.models import AuditEntry, Job

pytestmark = pytest.mark.timeout(120)


async def asked(desk: Desk) -> None:
    for text in (RETURNS, CARDS, WASHING):
        await desk.ask(text)


async def test_the_systems_hour_is_held(desk: Desk) -> None:
    await asked(desk)
    await in_db(SystemLimit.objects.update_or_create, period="hour", defaults={"usd": Decimal("1.00")})
    await in_db(Spend.objects.filter(scope="system").update, spent_usd=Decimal("1.00"))
    forget()
    radius = await desk.under(tool="search_knowledge_base", tool_as="now")
    assert radius.state == RunState.FAILED
    assert radius.error == "The system's hour is spent, after 0 turns; see the budgets."
    assert not await in_db(Replay.objects.filter(radius=radius, state="queued").exists)
    assert await in_db(lambda: Spend.objects.get(scope="system").spent_usd) == Decimal("1.00")


async def test_all_its_replays_cost_no_more_than_one_background_task_may(desk: Desk) -> None:
    await asked(desk)
    before = await in_db(lambda: Spend.objects.get(scope="system").spent_usd)
    whole = await desk.under(tool="search_knowledge_base", tool_as="now")
    assert whole.state == RunState.DONE
    cost = await in_db(_cost, whole)
    assert cost > 0
    hour = await in_db(lambda: Spend.objects.get(scope="system").spent_usd)
    assert hour == before + cost  # counted where background work is

    await in_db(SurfaceLimit.objects.update_or_create, surface="background", defaults={"turn": Decimal("0.01")})
    forget()
    few = await in_db(blast_create, tool="search_knowledge_base", tool_as="now")
    turn = await in_db(lambda: Replay.objects.filter(radius=whole)[0].turn)
    spent = {"cost_usd": Decimal("0.0085"), "state": "done", "verdict": "same"}  # by a job before this one
    await in_db(Replay.objects.create, radius=few, turn=turn, **spent)
    few = await run_blast(few.pk)
    assert few.state == RunState.FAILED
    assert few.error.startswith("What a radius may cost is spent, after ")
    assert await in_db(_cost, few) <= Decimal("0.01")


def _cost(radius: BlastRadius) -> Decimal:
    return sum((one.cost_usd for one in Replay.objects.filter(radius=radius)), Decimal(0))


async def test_it_stops_when_told_to(desk: Desk) -> None:
    await asked(desk)
    made = await in_db(blast_create, tool="search_knowledge_base", tool_as="now", staff=desk.cast.ops)
    await in_db(blast_stop, radius=made, staff=desk.cast.lead)
    radius = await run_blast(made.pk)
    assert (radius.state, radius.error) == (RunState.FAILED, "Stopped by lead.")
    assert not await in_db(Replay.objects.filter(radius=made).exists)
    acts = await in_db(lambda: list(AuditEntry.objects.order_by("created_at").values_list("action", flat=True)))
    assert acts[-2:] == ["blast.start", "blast.stop"]


async def test_a_lost_job_is_asked_for_again_and_runs_once(desk: Desk) -> None:
    await asked(desk)
    made = await in_db(blast_create, tool="search_knowledge_base", tool_as="now")
    assert await in_db(blasts_repair) == 0  # its job may still come
    await in_db(BlastRadius.objects.update, created_at=timezone.now() - timedelta(minutes=5))
    assert await in_db(blasts_repair) == 1
    assert await in_db(blasts_repair) == 0
    (job,) = await in_db(lambda: list(Job.objects.filter(function__endswith="run_blast_job")))
    assert (job.arguments, job.queue) == ([str(made.pk)], "long")
    await asyncio.to_thread(run_blast_job, str(made.pk))
    done = await in_db(BlastRadius.objects.get, pk=made.pk)
    assert (done.state, done.touched) == (RunState.DONE, 3)
    ended = done.finished_at
    again = await run_blast(made.pk)
    assert again.finished_at == ended
    assert await in_db(Replay.objects.filter(radius=made).count) == 3


async def test_who_is_erased_is_gone_from_it(desk: Desk) -> None:
    await asked(desk)
    radius = await desk.under(**await in_db(drafted, "return-an-item", "within 30 days", "within 14 days"))
    told = await in_db(lambda: Replay.objects.get(radius=radius, verdict="otherwise"))
    conversation = await in_db(lambda: told.turn.conversation_id)
    page = await in_db(_page, desk, radius)
    assert "within 14 days" in page
    assert RETURNS in page
    await in_db(erase_conversation, conversation)
    page = await in_db(_page, desk, radius)
    assert RETURNS not in page
    assert "of delivery" not in page.partition("blast-how")[0]
    assert "1 of the turns was erased since" in page
    left = await in_db(lambda: str(list(Replay.objects.filter(turn=told.turn_id).values())))
    assert "14 days" not in left
    assert "30 days" not in left
    later = await desk.under(**await in_db(drafted, "return-an-item", "within 30 days", "within 7 days"))
    assert RETURNS not in await in_db(verdicts, later)


def _page(desk: Desk, radius: BlastRadius) -> str:
    client = Client()
    client.force_login(desk.cast.ops)
    return client.get(f"/admin/evals/blast/{radius.pk}/").content.decode()
