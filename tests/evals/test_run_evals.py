"""`manage.py run_evals`: its report, its exit codes, and that nothing is left of it."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import call_command
from django.db import connection

from support_agent.evals import cases
from tickets.models import Conversation


def databases() -> list[str]:
    """Those that are, or come from, this test's own."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, current_database())")
        return [name for (name,) in cursor.fetchall()]


@pytest.mark.django_db(transaction=True)
def test_it_says_what_fails_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    (case,) = cases.suite("where-is-my-order")
    expect = case.expect.model_copy(update={"says": ("a pink elephant",)})
    wrong = case.model_copy(update={"id": "wrong", "expect": expect})
    monkeypatch.setattr(cases, "load_cases", lambda: (case, wrong))
    name, out = connection.settings_dict["NAME"], io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("run_evals", json=True, repeat=2, stdout=out)
    assert ended.value.code == 1
    report = json.loads(out.getvalue())
    assert (report["passed"], report["failed"], report["model"]) == (1, 1, "demo")
    assert [(run["runs"], run["held"]) for run in report["cases"]] == [(2, 2), (2, 0)]
    assert report["cases"][1]["failures"] == ["does not say “a pink elephant”"]
    assert databases() == [name]
    assert connection.settings_dict["NAME"] == name
    assert not Conversation.objects.exists()


@pytest.mark.django_db  # a name that no file has may be a saved case's
@pytest.mark.parametrize("wrong", [["nonsense"], ["--repeat", "0"], ["--model", "claude-sonnet-5-5"]])
def test_a_wrong_argument_is_exit_code_2(wrong: list[str]) -> None:
    err = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("run_evals", *wrong, stderr=err)
    assert ended.value.code == 2
    assert err.getvalue().startswith("run_evals: ")
