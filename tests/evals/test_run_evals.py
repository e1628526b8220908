"""`manage.py run_evals`: its reports, its exit codes, what it records, and that nothing else is left of it."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.utils import timezone

from support_agent.agent.prompts import prompt
from support_agent.evals import cases, session, world
from support_agent.evals.recording import Main, Recorder, as_yaml
from support_agent.evals.run import Result
from support_agent.evals.summary import Report
from support_agent.llm.demo import transport
from support_agent.llm.demo.brain import respond
from support_agent.management.commands import run_evals
from support_agent.models import EvalResult, EvalRun, PromptVersion, SavedCase
from support_agent.runtime.budgets import spent_of, system_hour
from support_agent.runtime.code_version import code_version
from support_agent.runtime.eval_runs import run_claim, run_create
from tickets.db import in_db
from tickets.demo.articles import load_articles
from tickets.models import Conversation
from tickets.workspace import Workspace, as_if, workspace

if TYPE_CHECKING:
    from pytest_django.plugin import DjangoDbBlocker

BAD = "\n".join(line for line in prompt("assistant").text.splitlines() if "Cite" not in line)
pytestmark = pytest.mark.xdist_group("evals grading")
committed = pytest.mark.django_db(transaction=True)
quickly = pytest.mark.usefixtures("quick")


@pytest.fixture(scope="module")
def template(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A copy of the empty test database, with the help centre: both take seconds, copying them a moment."""
    own, name = connection.settings_dict["NAME"], f"template_of_evals_{os.getpid()}"
    with django_db_blocker.unblock():
        copy_database(own, name)
        connection.settings_dict["NAME"] = name
        try:
            load_articles()
        finally:
            connection.settings_dict["NAME"] = own
            leave_database()
        yield name
        with connection.creation._nodb_cursor() as cursor:  # type: ignore[attr-defined]
            cursor.execute(f'DROP DATABASE "{name}"')


@pytest.fixture
def quick(template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The throw-away database is a copy of the template."""

    def create(**_: Any) -> str:
        name = str(connection.settings_dict["TEST"]["NAME"])
        copy_database(template, name)
        connection.settings_dict["NAME"] = name
        return name

    monkeypatch.setattr(connection.creation, "create_test_db", create)
    monkeypatch.setattr(world, "load_articles", lambda: None)


def leave_database() -> None:
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]


def copy_database(source: str, name: str) -> None:
    leave_database()
    with connection.creation._nodb_cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}"')


def databases() -> list[str]:
    """Those that are, or come from, this test's own."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, current_database())")
        return [name for (name,) in cursor.fetchall()]


def run(*arguments: str, **options: Any) -> tuple[int, str, str]:
    """(exit code, stdout, stderr)."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("run_evals", *arguments, stdout=out, stderr=err, **options)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def only(monkeypatch: pytest.MonkeyPatch, *names: str) -> list[cases.Case]:
    """The files hold these cases and no other."""
    kept = [case for name in names for case in cases.suite(name)]
    monkeypatch.setattr(cases, "load_cases", lambda: tuple(kept))
    return kept


@quickly
@committed
def test_it_says_what_fails_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    (case,) = cases.suite("where-is-my-order")
    expect = case.expect.model_copy(update={"says": ("a pink elephant",)})
    wrong = case.model_copy(update={"id": "wrong", "expect": expect})
    monkeypatch.setattr(cases, "load_cases", lambda: (case, wrong))
    name = connection.settings_dict["NAME"]
    code, out, err = run(json=True, repeat=2, no_record=True)
    assert code == 1
    report = json.loads(out)
    assert (report["passed"], report["failed"], report["model"]) == (1, 1, "demo")
    assert (report["pass_at_1"]["value"], report["pass_hat_k"]["value"], report["k"]) == (0.5, 0.5, 2)
    assert [(run["runs"], run["held"]) for run in report["cases"]] == [(2, 2), (2, 0)]
    assert report["cases"][1]["failures"] == ["does not say “a pink elephant”"]
    assert [line["who"] for line in report["cases"][1]["thread"]] == ["customer", "assistant"]
    assert err.splitlines()[-1].startswith("2/2 cases, 1 passed, 1 failed, ")
    assert databases() == [name]
    assert connection.settings_dict["NAME"] == name
    assert list(connections.settings) == ["default"]
    assert not Conversation.objects.exists()
    assert not EvalRun.objects.exists()


@quickly
@committed
def test_the_company_s_name_and_voice_are_judged_and_nothing_else_of_its_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order numbers and limits of the cases hold, whatever the company's own are."""
    only(monkeypatch, "where-is-my-order")
    told: list[str] = []

    def heard(body: Any) -> Any:
        told.append(json.dumps(body.get("system")))
        return respond(body)

    monkeypatch.setattr(transport, "respond", heard)
    assert run(no_record=True)[0] == 0
    assert told
    assert not any("# The company" in system for system in told)
    told.clear()
    with as_if(Workspace(name="Fjell Cycles", house_style="Say bicycle.", order_number_format="FC-####-#####")):
        assert run(no_record=True)[0] == 0
        assert workspace().order_number_format == "FC-####-#####"
    assert any("Fjell Cycles" in system and "Say bicycle." in system for system in told)


@quickly
@committed
def test_a_version_on_trial_speaks_and_what_came_of_it_is_recorded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    only(monkeypatch, "return-window", "where-is-my-order")
    PromptVersion.objects.create(name="planner", number=4, text=prompt("planner").text, is_active=True)
    PromptVersion.objects.create(name="assistant", number=1, text=prompt("assistant").text, is_active=True)
    tried = PromptVersion.objects.create(name="assistant", number=2, text=BAD)
    page, junit = tmp_path / "report.html", tmp_path / "report.xml"
    code, out, _ = run(prompt="assistant:2", html=page, junit=junit)
    assert (code, "1 passed, 1 failed" in out) == (1, True)

    made = EvalRun.objects.get()
    assert (made.state, made.is_passed, made.kind, made.prompt, made.total) == ("done", False, "command", tried, 2)
    assert made.prompts == {"assistant": 2, "planner": 4, "memory": None}
    assert (made.code, made.thresholds) == (str(code_version()), {"pass": 1.0, "adversarial": 1.0})
    assert made.started_at is not None
    assert made.finished_at is not None
    assert made.started_at < made.finished_at
    assert made.cost_usd == sum(result.cost_usd for result in made.results.all()) > 0
    assert {"cases": 2, "passed": 1, "failed": 1, "skipped": 0, "k": 1}.items() <= made.summary.items()
    assert made.summary["suites"]["orders"] == {"cases": 1, "passed": 1, "failed": 0, "skipped": 0}

    failed = made.results.get(status=EvalResult.Status.FAILED)
    assert (failed.case, failed.outcome, failed.tools) == ("return-window", "resolved", ["search_knowledge_base"])
    assert failed.failures == ["does not cite return-an-item (but nothing)"]
    assert [line["who"] for line in failed.said] == ["customer", "assistant"]
    assert failed.written.startswith("- id: return-window\n")
    assert len(failed.fingerprint) == 16
    assert PromptVersion.objects.get(is_active=True, name="assistant").number == 1  # here nothing has changed

    assert "does not cite return-an-item" in page.read_text()
    root = ElementTree.parse(junit).getroot()
    assert (root.get("tests"), root.get("failures")) == ("2", "1")


@quickly
@committed
def test_what_the_pages_asked_for_runs_once(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "where-is-my-order")
    PromptVersion.objects.create(name="assistant", number=1, text=prompt("assistant").text, is_active=True)
    asked = run_create(kind=EvalRun.Kind.PAGE, suite="orders", repeat=2)
    assert run(run=str(asked.pk))[0] == 0
    asked.refresh_from_db()
    assert (asked.state, asked.is_passed, asked.summary["k"], asked.prompts["assistant"]) == ("done", True, 2, 1)
    assert [(row.runs, row.held) for row in asked.results.all()] == [(2, 2)]
    code, _, err = run(run=str(asked.pk))
    assert (code, err) == (2, f"run_evals: no run {asked.pk} waits\n")
    assert EvalRun.objects.count() == 1


@quickly
@committed
def test_a_budget_that_runs_out_has_an_exit_code_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "where-is-my-order", "return-window")
    code, out, _ = run("--budget", "0.11", "--parallel", "1")  # of two that may cost 0.10 each, and cost far less
    assert (code, "2 passed" in out) == (0, True)
    code, out, _ = run("--budget", "0.09")
    assert code == 3
    assert "The budget of 0.09 USD left 2 cases out." in out
    made = EvalRun.objects.all()[0]
    assert (made.is_passed, made.summary["over_budget"], str(made.budget_usd)) == (False, 2, "0.09")


@quickly
@committed
def test_a_stopped_run_says_so_and_leaves_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    async def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    only(monkeypatch, "where-is-my-order")
    monkeypatch.setattr(session, "run_cases", stopped)
    assert run()[0] == 130
    made = EvalRun.objects.get()
    assert (made.state, made.error, made.is_passed) == ("failed", "It was stopped.", None)
    assert databases() == [connection.settings_dict["NAME"]]


@quickly
@committed
def test_a_database_without_the_tables_is_run_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "where-is-my-order")
    with monkeypatch.context() as patched:
        patched.setattr(EvalRun._meta, "db_table", "support_agent_evalrun_of_tomorrow")
        code, _, err = run()
    assert code == 0
    said = err.splitlines()[0]
    assert said.startswith("run_evals: nothing is recorded, and the prompts of the files speak: ")
    assert "support_agent_evalrun_of_tomorrow" in said
    assert not EvalRun.objects.exists()


@committed
def test_a_role_that_may_create_no_database_is_told_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "where-is-my-order")
    poor = f"poor_{os.getpid()}"
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE ROLE {poor} NOCREATEDB IN ROLE "{connection.settings_dict["USER"]}"')
    before = connection.settings_dict["OPTIONS"]
    leave_database()
    try:
        connection.settings_dict["OPTIONS"] = {**before, "options": f"-c role={poor}"}
        code, _, err = run()
    finally:
        leave_database()
        connection.settings_dict["OPTIONS"] = before
        with connection.cursor() as cursor:
            cursor.execute(f"DROP ROLE {poor}")
    assert code == 4
    assert err.splitlines()[-1].startswith("run_evals: the database's role may not create databases")
    made = EvalRun.objects.get()
    assert made.state == "failed"
    assert f'ALTER ROLE "{poor}" CREATEDB' in made.error


@committed
def test_only_what_a_killed_run_left_is_dropped() -> None:
    """Not a database that somebody runs in or is about to, nor one that is only named alike."""
    prefix = world._prefix(connection.settings_dict["NAME"])
    left, held, other = f"{prefix}{'a' * 12}", f"{prefix}{'b' * 12}", f"{prefix}{'c' * 12}_of_mine"
    with connection.creation._nodb_cursor() as cursor:  # type: ignore[attr-defined]
        for name in (left, held, other):
            cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        try:
            with world._held(held):
                world._drop_leftovers(prefix)
            assert {left, held, other} & set(databases()) == {held, other}
            world._drop_leftovers(prefix)
            assert {left, held, other} & set(databases()) == {other}
        finally:
            for name in (left, held, other):
                cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')


def test_a_throw_away_databases_name_is_its_runs_alone() -> None:
    for own in ("desk", "a" * 63, "ä" * 31, f"desk_evals_{'0' * 12}"):
        prefix = world._prefix(own)
        assert len(prefix.encode()) + world.TOKEN <= 63
        assert world._prefix(f"{prefix}{'1' * 12}") == prefix  # within a run, not one nested in the other
    assert world._prefix("desk") == world._prefix(f"desk_evals_{'0' * 12}") == "desk_evals_"
    assert world._prefix("a" * 60) != world._prefix("a" * 61)


@committed
async def test_what_is_paid_is_counted_and_the_demo_models_prices_are_not() -> None:
    """The row's cost is that of the assistant and of who played the customer."""
    (case,) = cases.suite("where-is-my-order")
    result = Result(case, "passed", cost_usd=Decimal("0.30"), customer_usd=Decimal("0.04"))
    main = Main()
    for model, paid in (("demo", "0.04"), ("live", "0.38")):
        made = await in_db(partial(run_create, kind=EvalRun.Kind.COMMAND))
        await in_db(run_claim, made.pk)
        recorder, report = Recorder(made.pk, main, print), Report([result], model=model)
        await in_db(recorder.started, report)
        await recorder.case(result)
        assert await in_db(spent_of, *system_hour(timezone.now())) == Decimal(paid)
        await in_db(made.refresh_from_db)
        assert made.cost_usd == Decimal("0.34")
        await in_db(recorder.ended, report)
        await in_db(made.refresh_from_db)
        assert (made.cost_usd, made.summary["customers_usd"]) == (Decimal("0.34"), 0.04)
        assert (await in_db(made.results.get)).cost_usd == Decimal("0.34")


@committed
def test_one_saved_case_runs_whatever_the_others_are(tmp_path: Path) -> None:
    (case,) = cases.suite("where-is-my-order")
    for name, text in (("mine", as_yaml(case.model_copy(update={"id": "mine"}))), ("broken", "- id: broken")):
        SavedCase.objects.create(name=name, yaml=text)
    assert [one.id for one in run_evals._cases("mine", "")] == ["mine"]
    with pytest.raises(ValueError, match="broken"):
        run_evals._cases("saved", "")
    with pytest.raises(ValueError, match="no suite or case"):
        run_evals._cases("nobody", "")


@pytest.mark.django_db(transaction=True)  # a name that no file has may be a saved case's
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["nonsense"], "there is no suite or case “nonsense”"),
        (["--repeat", "0"], "--repeat"),
        (["--parallel", "99"], "--parallel"),
        (["--model", "claude-sonnet-5-5"], "ANTHROPIC_API_KEY"),
        (["--model", "gpt-9"], "no model “gpt-9”"),
        (["--prompt", "assistant:9"], "no version “9”"),
        (["--prompt", "poet:1"], "--prompt takes"),
        (["--html", "/nowhere/at/all.html"], "no folder /nowhere/at"),
        (["--record", "/nowhere/at/all.jsonl"], "no folder /nowhere/at"),
        (["--record", "/"], "--record: / is a folder"),
        (["--junit", "/"], "--junit: / is a folder"),
        (["--run", "x"], "no run's id"),
    ],
)
def test_a_wrong_argument_is_exit_code_2(wrong: list[str], said: str) -> None:
    code, _, err = run(*wrong)
    assert code == 2
    assert err.startswith("run_evals: ")
    assert said in err
    assert len(err.splitlines()) == 1
    assert not EvalRun.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_real_model_needs_a_budget_and_says_what_it_will_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_evals, "model_wanted", lambda model: model)  # as if there were a key
    code, _, err = run("orders", model="live", repeat=2)
    assert code == 2
    most = sum(case.max_cost_usd for case in cases.suite("orders")) * 2
    code, _, err = run("orders", customer="model")
    wanted = "run_evals: the model that plays the customers costs money, so it needs --budget USD"
    assert (code, err.splitlines()) == (2, [wanted])  # the demo model's prices are no part of it
    code, _, err = run("orders", model="live", customer="model")
    assert "live, beside the model that plays the customers, costs money, so it needs --budget USD: " in err
    code, _, err = run("orders", model="live", repeat=2)
    assert re.search(rf"live costs money, so it needs --budget USD: .* about 0\.\d\d USD, {most:.2f} at", err)
