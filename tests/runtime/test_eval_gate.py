"""The release gate: which runs decide about a version, and what makes one out of date."""

from __future__ import annotations

from decimal import Decimal

import pytest

from support_agent.models import EvalRun, PromptVersion, RunState
from support_agent.runtime import eval_gate
from support_agent.runtime.code_version import CodeVersion, code_version
from support_agent.runtime.eval_gate import gate_of
from support_agent.runtime.eval_rows import run_claim
from support_agent.runtime.eval_runs import run_create
from tests.runtime.evaluating import GATE, PAGE, ended
from tickets.errors import DeskError

pytestmark = pytest.mark.django_db


@pytest.fixture
def version() -> PromptVersion:
    return PromptVersion.objects.create(name="assistant", number=3, text="Cite sources.")


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
