"""`purge`: what is over goes, what is not stays, and figures outlive words."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db.models import Model
from django.test import TestCase
from django.utils import timezone

from support_agent.models import Alert, EvalResult, EvalRun, Replay, Step, Task, ToolCall, Turn
from support_agent.models.limits import Spend
from support_agent.privacy import retention
from support_agent.privacy.retention import DAYS, days_kept
from tests.cast import Cast
from tests.privacy.planting import WORD, canaries, plant
from tickets.models import (
    Attachment,
    Conversation,
    DemoMail,
    Message,
    Retention,
    ThreadLink,
    Ticket,
    Verification,
)

pytestmark = pytest.mark.django_db


def purge(*arguments: str) -> dict[str, int]:
    out = StringIO()
    with TestCase.captureOnCommitCallbacks(execute=True):
        call_command("purge", "--json", *arguments, stdout=out)
    found: dict[str, int] = json.loads(out.getvalue())["counts"]
    return found


def age(days: float, model: type[Model], *names: str) -> None:
    moment = timezone.now() - timedelta(days=days)
    model._default_manager.update(**dict.fromkeys(names, moment))


@pytest.fixture
def planted(cast: Cast) -> Conversation:
    found = plant(cast)
    Turn.objects.update(state="answered")
    return found


def test_nothing_young_goes(planted: Conversation) -> None:
    before = canaries()
    assert set(purge().values()) == {0}
    assert canaries() == before


def test_a_trace_loses_its_words_and_keeps_its_figures(planted: Conversation) -> None:
    Step.objects.update(cost_usd="0.02", duration_ms=900)
    for model in (Turn, Step, ToolCall, Replay):
        age(91, model, "created_at")
    assert purge("--dry-run")["traces"] == 3
    assert Step.objects.get().input
    assert purge()["traces"] == 3
    step, call, replay = Step.objects.get(), ToolCall.objects.get(), Replay.objects.get()
    assert (step.input, step.output, call.arguments, call.result, replay.text) == ({}, {}, {}, {}, "")
    assert (float(step.cost_usd), step.duration_ms) == (0.02, 900)
    assert WORD in Message.objects.filter(conversation=planted)[0].text
    assert purge()["traces"] == 0


def test_a_conversation_closed_for_two_years_is_emptied_once(planted: Conversation) -> None:
    Conversation.objects.update(
        status="closed", closed_at=timezone.now() - timedelta(days=DAYS[Retention.Kind.CONVERSATIONS] + 1)
    )
    assert purge("--dry-run")["conversations"] == 1
    assert purge()["conversations"] == 1
    assert purge()["conversations"] == 0
    assert set(Message.objects.filter(conversation=planted).values_list("text", flat=True)) == {"[erased]"}
    assert Conversation.objects.get().address_hash == ""


def test_staff_say_how_long(planted: Conversation) -> None:
    age(10, DemoMail, "created_at")
    assert purge()["mails"] == 0
    Retention.objects.create(kind="mails", days=9)
    assert days_kept()["mails"] == 9
    assert purge()["mails"] == 2
    assert not DemoMail.objects.exists()


def test_evaluation_runs_go_with_their_results_half_a_year_after_their_end(db: None) -> None:
    moment = timezone.now()
    runs = {
        days: EvalRun.objects.create(state=state, created_at=moment - timedelta(days=days + 1), finished_at=end)
        for days, state, end in (
            (179, "done", moment - timedelta(days=179)),
            (181, "done", moment - timedelta(days=181)),
            (182, "failed", moment - timedelta(days=182)),
            (400, "running", None),
        )
    }
    for made in runs.values():
        EvalResult.objects.create(run=made, case="a", suite="orders", status="passed")
    assert purge("--dry-run")["evaluations"] == 2
    assert purge()["evaluations"] == 2
    assert set(EvalRun.objects.all()) == {runs[179], runs[400]}
    assert EvalResult.objects.count() == 2


def test_everything_else_has_its_end(planted: Conversation, own_folders: Path) -> None:
    age(400, Attachment, "created_at")
    age(400, Verification, "expires_at")
    age(400, ThreadLink, "expires_at")
    age(400, Alert, "resolved_at")
    age(400, Session, "expire_date")
    age(400, Task, "created_at")
    Ticket.objects.update(status="closed", created_at=timezone.now() - timedelta(days=2000))
    Spend.objects.update(period="2020-01-01")
    counts: Any = purge()
    kinds = ("attachments", "codes", "links", "alerts", "sessions", "tasks", "addresses", "tickets")
    assert {kind: counts[kind] for kind in kinds} == dict.fromkeys(kinds, 1)
    assert not [file for file in own_folders.rglob("media/**/*") if file.is_file()]
    assert Message.objects.filter(role="customer").get().attachments == []
    assert Ticket.objects.get().body == "[erased]"
    for model in (Attachment, Verification, ThreadLink, Alert, Session):
        assert not model._default_manager.exists()
    assert set(Retention.Kind.values) == set(DAYS)


def test_the_purge_goes_in_small_batches_and_looks_at_nothing_twice(
    planted: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that a batch could not empty is neither in the way of the others nor tried for ever."""
    monkeypatch.setattr(retention, "BATCH", 3)
    turn = Turn.objects.get()
    Step.objects.bulk_create(Step(turn=turn, index=n, attempt=7, kind="model_call", input={"n": n}) for n in range(10))
    age(91, Turn, "created_at")
    age(91, Step, "created_at")
    sizes: list[int] = []
    stubborn = Step.objects.filter(attempt=7).order_by("pk")[1].pk

    def forget(rows: retention.Rows, ids: list[Any]) -> None:
        sizes.append(len(ids))
        rows.exclude(pk=stubborn).update(input={}, output={}, error="")

    monkeypatch.setitem(
        retention.RULES, Retention.Kind.TRACES, retention.Rule(lambda cutoff: retention._traces(cutoff)[:1], forget)
    )
    assert purge()["traces"] == 11
    assert sizes == [3, 3, 3, 2]
    assert list(Step.objects.exclude(input={})) == [Step.objects.get(pk=stubborn)]
    assert purge()["traces"] == 1
