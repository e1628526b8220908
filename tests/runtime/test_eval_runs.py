"""Runs asked for, the release gate, every night's run and its alert, and the job that runs one in its own process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pydantic import SecretStr

from support_agent.env import env
from support_agent.models import Alert, EvalResult, EvalRun, PromptVersion, RunState, Switch
from support_agent.runtime import eval_gate, eval_job, eval_nightly, eval_runs
from support_agent.runtime.alert_checks import budgets, evaluations
from support_agent.runtime.alert_rules import rule_of
from support_agent.runtime.alert_watch import evaluate
from support_agent.runtime.breakers import check_system
from support_agent.runtime.budgets import spent_of, system_hour
from support_agent.runtime.code_version import CodeVersion, code_version
from support_agent.runtime.controls import controls
from support_agent.runtime.eval_gate import gate_of
from support_agent.runtime.eval_job import run_evals_job
from support_agent.runtime.eval_nightly import nightly_start
from support_agent.runtime.eval_rows import run_claim, run_recorded
from support_agent.runtime.eval_runs import run_create, run_enqueue, suites
from support_agent.runtime.recovery import sweep
from tests.cast import Cast
from tickets.errors import DeskError, NotAllowed
from tickets.models import AuditEntry, Job
from tickets.queue import run_job

pytestmark = pytest.mark.django_db
GATE, NIGHTLY, PAGE = EvalRun.Kind.GATE, EvalRun.Kind.NIGHTLY, EvalRun.Kind.PAGE
MODULES = (eval_gate, eval_nightly, eval_runs)


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if there were an API key, outside the demo."""
    real = env.model_copy(update={"anthropic_api_key": SecretStr("a-key"), "demo": False})
    for module in MODULES:
        monkeypatch.setattr(module, "env", real)


@pytest.fixture
def version() -> PromptVersion:
    return PromptVersion.objects.create(name="assistant", number=3, text="Cite sources.")


def ended(run: EvalRun, *, passed: int = 5, failed: tuple[str, ...] = (), **fields: Any) -> EvalRun:
    """The run as it would have ended."""
    summary = {"cases": passed + len(failed), "passed": passed, "failed": len(failed), "models": eval_gate.configured()}
    values = {
        "state": RunState.DONE,
        "is_passed": not failed,
        "summary": summary | fields.pop("summary", {}),
        "code": str(code_version()),
        "prompts": {"assistant": 3, "planner": None, "memory": None},
    }
    EvalRun.objects.filter(pk=run.pk).update(**values | fields)
    for name in failed:
        EvalResult.objects.create(run=run, case=name, suite="orders", status="failed")
    EvalResult.objects.bulk_create(
        EvalResult(run=run, case=f"case-{n}", suite="orders", status="passed") for n in range(passed)
    )
    run.refresh_from_db()
    return run


# --- asking for a run


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


# --- the gate


def test_a_version_passes_the_gate_and_falls_out_of_it(version: PromptVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (gate_of(version).state, gate_of(version).run) == ("none", None)
    run = run_create(kind=GATE, prompt=version)
    assert (gate_of(version).state, gate_of(version).why) == ("running", "It waits to be evaluated.")
    with pytest.raises(DeskError, match="evaluated already"):
        run_create(kind=GATE, prompt=version)
    run_claim(run.pk)
    assert gate_of(version).why == "It is being evaluated now."

    ended(run)
    gate = gate_of(version)
    assert (gate.state, gate.run) == ("passed", run)
    assert gate.why == "It has passed the evaluation: 5 of 5 cases passed with the demo model."

    now = code_version()
    for changed, said in (
        (CodeVersion(now.commit, "other", now.cases), "the code has changed"),
        (CodeVersion(now.commit, now.sources, "other"), "the evaluation cases have changed"),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(eval_gate, "code_version", lambda changed=changed: changed)
            assert (gate_of(version).state, said in gate_of(version).why) == ("none", True)
    with monkeypatch.context() as patched:  # another commit with the same contents
        patched.setattr(eval_gate, "code_version", lambda: CodeVersion("other", now.sources, now.cases))
        assert gate_of(version).state == "passed"
    PromptVersion.objects.create(name="planner", number=1, text="Plan.", is_active=True)
    assert (gate_of(version).state, "the prompt planner has changed" in gate_of(version).why) == ("none", True)


def test_a_version_that_fails_may_be_tried_again(version: PromptVersion) -> None:
    ended(run_create(kind=GATE, prompt=version), passed=4, failed=("a",))
    assert gate_of(version).state == "failed"
    assert gate_of(version).why == "It fails the evaluation: only 4 of 5 cases passed with the demo model."
    again = run_create(kind=GATE, prompt=version)
    assert (gate_of(version).state, gate_of(version).run) == ("running", again)
    ended(again)
    assert gate_of(version).state == "passed"
    EvalRun.objects.filter(pk=again.pk).update(state=RunState.FAILED, is_passed=None, error="Its process died.")
    assert gate_of(version).why == "The evaluation could not be run: Its process died."


def test_only_the_gates_own_runs_of_this_version_count(version: PromptVersion) -> None:
    other = PromptVersion.objects.create(name="assistant", number=4, text="Never cite sources.")
    ended(run_create(kind=GATE, prompt=other))
    ended(run_create(kind=PAGE, prompt=version))
    assert gate_of(version).state == "none"


@pytest.mark.usefixtures("key")
def test_with_a_key_the_configured_models_decide_within_the_gates_budget(version: PromptVersion) -> None:
    old = EvalRun.objects.create(kind=GATE, prompt=version, model="demo")
    ended(old)
    assert gate_of(version).why == "It was evaluated, but another model speaks since: evaluate it again."
    run = run_create(kind=GATE, prompt=version)
    assert (run.model, run.budget_usd) == ("live", Decimal("5.00"))
    ended(run, is_passed=False, summary={"over_budget": 2})
    assert "budget ran out before 2 cases" in gate_of(version).why


# --- two at once, and what is paid


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


# --- every night


def test_a_night_is_run_once() -> None:
    night = timezone.now().replace(hour=1, minute=40)
    (made,) = nightly_start(night)
    assert (made.kind, made.model, made.budget_usd) == ("nightly", "demo", None)
    assert nightly_start(night) == []
    tomorrow = night + timedelta(days=1)
    assert nightly_start(tomorrow) == []  # the last one waits still
    ended(made)
    assert len(nightly_start(tomorrow)) == 1


@pytest.mark.usefixtures("key")
def test_the_configured_models_only_with_a_budget_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [run.model for run in nightly_start()] == ["demo"]
    EvalRun.objects.all().delete()
    values = {"anthropic_api_key": SecretStr("a-key"), "evals_nightly_usd": Decimal("1.50")}
    rich = env.model_copy(update=values)
    monkeypatch.setattr(eval_nightly, "env", rich)
    assert [(run.model, run.budget_usd) for run in nightly_start()] == [("demo", None), ("live", Decimal("1.50"))]


def night(days_ago: int, model: str = "demo", **how: Any) -> EvalRun:
    made = EvalRun.objects.create(kind=NIGHTLY, model=model, created_at=timezone.now() - timedelta(days=days_ago))
    return ended(made, **how)


def told() -> dict[str, str]:
    return {one.subject: one.text for one in evaluations(timezone.now())}


def test_a_night_that_is_worse_than_the_last_is_told_by_its_cases() -> None:
    assert told() == {}
    night(1)
    assert told() == {}
    night(0, passed=4, failed=("case-4",))
    text = "In the nightly evaluation with the demo model, 1 of 5 cases failed; case-4 passed the night before."
    assert told() == {"demo": text}
    (one,) = evaluations(timezone.now())
    assert (one.details["failed"], one.details["worse"]) == ("case-4", "case-4")


def test_real_models_have_thresholds_and_may_trade_a_case_for_another() -> None:
    night(1, model="live", passed=3, failed=("case-3", "case-4"), is_passed=True)
    night(0, model="live", passed=4, failed=("case-4",), is_passed=True)
    assert told() == {}
    EvalRun.objects.all().delete()
    night(1, model="live", passed=4, failed=("case-4",), is_passed=True)
    night(0, model="live", passed=3, failed=("case-3", "case-4"), is_passed=True)
    assert "case-3 passed the night before" in told()["live"]


def test_a_night_that_could_not_be_run_is_told() -> None:
    night(0, state=RunState.FAILED, is_passed=None, error="Its process died.")
    assert told() == {"demo": "The nightly evaluation with the demo model could not be run: Its process died."}


@pytest.mark.parametrize("days", [4, 40])
def test_that_nights_have_stopped_is_told_until_the_next_one(days: int, monkeypatch: pytest.MonkeyPatch) -> None:
    old = night(days)
    night(days, model="live")
    (text,) = told().values()  # nobody wants one with the configured models
    assert text.startswith(f"No nightly evaluation with the demo model has come to an end since {old.created_at:%F}")
    rich = {"anthropic_api_key": SecretStr("a-key"), "evals_nightly_usd": Decimal(1)}
    with monkeypatch.context() as patched:
        patched.setattr(eval_nightly, "env", env.model_copy(update=rich))
        assert set(told()) == {"demo", "live"}
    night(0)
    assert told() == {}


def test_the_alert_ends_with_the_next_good_night(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    night(2)
    night(1, passed=4, failed=("case-4",))
    evaluate(now)
    alert = Alert.objects.get(kind="evals")
    assert (alert.resolved_at, alert.severity) == (None, rule_of("evals").severity)
    night(0)
    for minute in (1, 5):
        evaluate(now + timedelta(minutes=minute))
    alert.refresh_from_db()
    assert alert.resolved_at is not None


# --- the job


def test_a_job_runs_a_run_once_and_notes_what_went_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    run, calls = run_create(kind=PAGE), []

    def child(code: int, last: str, *, claims: bool) -> Callable[..., tuple[int, str]]:
        def ran(command: list[str], most_s: float) -> tuple[int, str]:
            calls.append(command[-2:])
            if claims:
                run_claim(run.pk)
            return code, last

        return ran

    monkeypatch.setattr(eval_job, "_run", child(2, "run_evals: no run waits", claims=True))
    run_evals_job(str(run.pk))  # somebody else was quicker: theirs it stays
    run.refresh_from_db()
    assert (run.state, calls) == ("running", [["--run", str(run.pk)]])
    run_evals_job(str(run.pk))
    assert len(calls) == 1
    EvalRun.objects.update(state=RunState.QUEUED)
    monkeypatch.setattr(eval_job, "_run", child(-9, "MemoryError", claims=True))
    run_evals_job(str(run.pk))
    run.refresh_from_db()
    assert (run.state, run.error) == ("failed", "MemoryError")


@pytest.mark.parametrize("code", [0, 1, 3, 4])
@pytest.mark.parametrize("claims", [True, False])
def test_a_run_whose_process_ended_without_its_end_has_failed(
    code: int, claims: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_create(kind=PAGE)

    def child(*_: Any) -> tuple[int, str]:
        if claims:
            run_claim(run.pk)
        return code, "ImportError: no module"

    monkeypatch.setattr(eval_job, "_run", child)
    run_evals_job(str(run.pk))
    run.refresh_from_db()
    assert (run.state, run.error) == ("failed", "ImportError: no module")


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, -9])
def test_a_run_that_came_to_its_end_stays_done(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_create(kind=PAGE)

    def child(*_: Any) -> tuple[int, str]:
        ended(run)
        return code, "something else broke"

    monkeypatch.setattr(eval_job, "_run", child)
    run_evals_job(str(run.pk))
    run.refresh_from_db()
    assert (run.state, run.error, run.is_passed) == ("done", "", True)


def test_a_childs_last_line_is_kept() -> None:
    says = "import sys; print('first\\nthe last one\\n', file=sys.stderr); sys.exit(4)"
    assert eval_job._run([sys.executable, "-c", says], 20) == (4, "the last one")


def test_a_child_that_takes_too_long_is_ended() -> None:
    began = time.monotonic()
    code, said = eval_job._run([sys.executable, "-c", "import time; time.sleep(60)"], 0.5)
    assert (code, said) == (-1, "It took more than 0 minutes.")
    assert time.monotonic() - began < 30


def test_the_child_ends_with_the_worker(tmp_path: Path) -> None:
    """SIGTERM, as a worker that is stopped sends it to who runs the job."""
    mark = tmp_path / "pid"
    child = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    worker = (
        "import django; django.setup(); import sys; from support_agent.runtime.eval_job import _run;"
        f"_run([sys.executable, '-c', {child!r}], 60)"
    )
    process = subprocess.Popen([sys.executable, "-c", worker])
    _until(lambda: mark.is_file() and mark.read_text() != "", 40)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 143
    _until(lambda: not _is_alive(int(mark.read_text())), 10)


def _until(condition: Callable[[], bool], seconds: float) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.05)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_sweep_fails_what_died() -> None:
    now = timezone.now()
    dead = EvalRun.objects.create(state=RunState.RUNNING, created_at=now - timedelta(hours=1), started_at=now)
    alive = EvalRun.objects.create(state=RunState.RUNNING, created_at=now - timedelta(hours=1))
    EvalRun.objects.update(started_at=now - timedelta(minutes=50))
    EvalResult.objects.create(run=alive, case="a", suite="s", status="passed")
    unbegun = EvalRun.objects.create(created_at=now - timedelta(hours=25))
    waiting = EvalRun.objects.create(created_at=now - timedelta(hours=2))
    assert sweep().eval_runs == 2
    assert sweep().eval_runs == 0
    found = {run.pk: (run.state, run.error) for run in EvalRun.objects.all()}
    assert found == {
        dead.pk: ("failed", "Its process died."),
        alive.pk: ("running", ""),
        unbegun.pk: ("failed", "No worker began it within a day."),
        waiting.pk: ("queued", ""),
    }
