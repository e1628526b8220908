"""Runs asked for: by whom, for how much, one of two at once, and what they pay."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from support_agent.models import EvalResult, EvalRun, PromptVersion, Switch
from support_agent.runtime import eval_job
from support_agent.runtime.alert_checks import budgets
from support_agent.runtime.breakers import check_system
from support_agent.runtime.budgets import spent_of, system_hour
from support_agent.runtime.controls import controls
from support_agent.runtime.eval_nightly import nightly_start
from support_agent.runtime.eval_rows import run_recorded
from support_agent.runtime.eval_runs import run_create, run_enqueue, suites
from tests.cast import Cast
from tests.runtime.evaluating import GATE, NIGHTLY, PAGE
from tickets.errors import DeskError, NotAllowed
from tickets.models import AuditEntry, Job
from tickets.queue import run_job

pytestmark = pytest.mark.django_db


def test_staff_start_a_run_and_a_worker_gets_it(cast: Cast) -> None:
    made = run_enqueue(kind=PAGE, suite="orders", repeat=2, staff=cast.lead)
    assert (made.state, made.model, made.thresholds) == ("queued", "demo", {"pass": 1.0, "adversarial": 1.0})
    assert (made.budget_usd, made.asked_by) == (None, cast.lead)
    entry = AuditEntry.objects.get(action="evals.start")
    assert (entry.actor, entry.object_id) == (cast.lead, str(made.pk))
    job = Job.objects.get()
    assert (job.function.rpartition(".")[2], job.arguments, job.queue) == ("run_evals_job", [str(made.pk)], "evals")


@pytest.mark.django_db(transaction=True)
def test_its_job_may_take_hours_and_is_not_taken_for_lost_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []
    queue = SimpleNamespace(enqueue=lambda *_, **how: sent.append(how), fetch_job=lambda _: None)
    monkeypatch.setattr("tickets.queue.django_rq.get_queue", lambda *_, **__: queue)
    run_enqueue(kind=PAGE)
    assert [how["job_timeout"] for how in sent] == [eval_job.MOST_S + 60]
    seen: list[timedelta] = []

    def child(*_: Any) -> tuple[int, str]:
        seen.append(Job.objects.get().due_at - timezone.now())
        return 0, ""

    monkeypatch.setattr(eval_job, "_run", child)
    run_job(sent[0]["job_id"])
    assert seen[0] > timedelta(seconds=eval_job.MOST_S)
    assert not Job.objects.exists()


def test_an_agent_may_not(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        run_create(kind=PAGE, staff=cast.agent)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"suite": "nonsense"}, "no suite or case “nonsense”; the suites are attacks, "),
        ({"suite": "where-is"}, "no suite or case"),  # the beginning of a case's name is none
        ({"repeat": 0}, "1 to 20 times"),
        ({"model": "gpt-9"}, "no model “gpt-9”"),
        ({"model": "claude-sonnet-5-5"}, "Without ANTHROPIC_API_KEY"),
        ({"kind": GATE}, "The gate tries one version"),
    ],
)
def test_what_cannot_be_run_is_refused_in_a_sentence(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(DeskError) as refused:
        run_create(**{"kind": PAGE} | asked)
    assert said in refused.value.message
    assert not EvalRun.objects.exists()


def test_a_suite_is_a_theme_a_case_or_the_saved_ones() -> None:
    assert suites()[-1] == "saved"
    for name in ("", "orders", "saved", "where-is-my-order"):
        assert run_create(kind=PAGE, suite=name).suite == name


@pytest.mark.usefixtures("key")
def test_a_real_model_needs_a_budget() -> None:
    with pytest.raises(DeskError, match="needs a budget"):
        run_create(kind=PAGE, model="live")
    with pytest.raises(DeskError, match="up to 100 USD"):
        run_create(kind=PAGE, model="live", budget_usd=Decimal(101))
    made = run_create(kind=PAGE, model="claude-sonnet-5-5", budget_usd=Decimal("2.5"))
    assert (made.budget_usd, made.thresholds) == (Decimal("2.50"), {"pass": 0.9, "adversarial": 0.95})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", [GATE, NIGHTLY])
def test_two_who_ask_at_once_start_one_run(kind: str) -> None:
    version = PromptVersion.objects.create(name="assistant", number=3, text="Cite sources.")
    looked, second = threading.Event(), threading.Event()

    def ask() -> int:
        if kind == NIGHTLY:
            return len(nightly_start())
        try:
            run_create(kind=GATE, prompt=version)
        except DeskError:
            return 0
        return 1

    def first() -> int:
        try:
            with transaction.atomic():
                made = ask()
                looked.set()
                second.wait(0.5)  # it could not end before, if it waits for this one
                return made
        finally:
            connection.close()

    def other() -> int:
        try:
            looked.wait(20)
            return ask()
        finally:
            second.set()
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        found = [one.result(30) for one in (pool.submit(first), pool.submit(other))]
    assert found == [1, 0]
    assert EvalRun.objects.count() == 1


def test_what_a_case_cost_counts_towards_the_systems_hour() -> None:
    run = run_create(kind=PAGE)
    for name, paid in (("a", "0.25"), ("b", "0.50"), ("c", "0")):
        result = EvalResult(case=name, suite="orders", status="passed", cost_usd=Decimal("0.5"))
        run_recorded(run.pk, result, paid_usd=Decimal(paid), using="default")
    assert spent_of(*system_hour(timezone.now())) == Decimal("0.75")
    run.refresh_from_db()
    assert run.cost_usd == Decimal("1.5")
    limit = controls().system_hour
    run_recorded(run.pk, EvalResult(case="d", suite="orders", status="passed"), paid_usd=limit, using="default")
    assert [one.kind for one in budgets(timezone.now())] == ["budget"]
    check_system()
    assert Switch.objects.get(source=Switch.Source.BREAKER).name == Switch.Name.PAUSE_NEW
