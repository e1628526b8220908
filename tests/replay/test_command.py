"""`manage.py replay_turn`, with the built-in demo model: its JSON and its exit codes."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command

from support_agent.models import Replay, Spend, Step, Turn
from support_agent.runtime.replay import run_replay_job
from tests.cast import make_cast
from tests.replay.conftest import counted
from tests.replay.made import ANSWERED, ended_turn

pytestmark = pytest.mark.django_db(transaction=True)


def printed(*arguments: str) -> Any:
    out = io.StringIO()
    call_command("replay_turn", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_it_prints_the_replay_beside_the_original() -> None:
    turn = ended_turn(make_cast().owner)
    before = counted()
    report = printed(str(turn.pk), "--from-step", "3", "--model", "large", "--prompt", "file")
    assert counted() == before
    asked = {"from_step": 3, "model": "large", "prompt": "file", "state": "done", "outcome": "answered"}
    assert {name: report[name] for name in asked} == asked
    steps = report["steps"]
    assert [step.get("how") for step in steps[:3]] == ["taken over"] * 3
    assert steps[3]["model"] == "claude-opus-5-5"
    assert {"index", "kind", "input", "output", "input_tokens", "output_tokens", "cost_usd", "duration_ms",
            "status"} <= steps[3].keys()  # fmt: skip
    assert "AP-100001" in report["text"]
    assert report["original"]["text"] == ANSWERED
    assert report["differences"]["tools"] is False
    assert report["cost_usd"] == pytest.approx(sum(step["cost_usd"] for step in steps[3:]))
    assert float(Spend.objects.get(scope="system").spent_usd) == pytest.approx(report["cost_usd"])


def test_a_job_runs_a_replay_once() -> None:
    made = Replay.objects.create(turn=ended_turn(make_cast().owner))
    run_replay_job(str(made.pk))
    first = Replay.objects.get()
    run_replay_job(str(made.pk))
    assert (first.state, first.finished_at) == ("done", Replay.objects.get().finished_at)


def test_a_turn_without_steps_is_replayed_from_its_start() -> None:
    turn = ended_turn(make_cast().owner)
    Step.objects.all().delete()
    Turn.objects.update(state="failed", path="")
    report = printed(str(turn.pk))
    assert (report["state"], report["original"]["outcome"]) == ("done", "failed")
    assert any(step["kind"] == "tool_call" for step in report["steps"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "“nonsense” is not a turn's id"),
        (["00000000-0000-0000-0000-000000000000"], "There is no such turn."),
        (["{turn}", "--from-step", "7"], "There is no step 7; this turn's steps are 0 to 4."),
        (["{turn}", "--from-step=-1"], "There is no step -1"),
        (["{turn}", "--model", "huge"], "There is no model “huge”"),
        (["{turn}", "--prompt", "9"], "There is no version “9” of the prompt assistant"),
        (["{turn}", "--prompt", "poet:1"], "There is no prompt “poet”"),
    ],
)
def test_a_wrong_argument_is_exit_code_2(arguments: list[str], said: str) -> None:
    turn = ended_turn(make_cast().owner)
    err = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("replay_turn", *[one.format(turn=turn.pk) for one in arguments], stderr=err)
    assert ended.value.code == 2
    assert said in err.getvalue()
    assert err.getvalue().count("\n") == 1
    assert not Replay.objects.exists()
