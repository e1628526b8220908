"""The job that runs a run in a process of its own, and what is left when either dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from support_agent.models import EvalResult, EvalRun, RunState
from support_agent.runtime import eval_job
from support_agent.runtime.eval_job import run_evals_job
from support_agent.runtime.eval_rows import run_claim
from support_agent.runtime.eval_runs import run_create
from support_agent.runtime.recovery import sweep
from tests.runtime.evaluating import PAGE, ended

pytestmark = pytest.mark.django_db


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
