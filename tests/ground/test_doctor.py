"""The doctor: what is there, what is missing, each with its mend."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from django.db import connection

from support_agent import doctor
from tests.stack import ROOT, Stack


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "manage.py"), "doctor", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.mark.timeout(120)
def test_a_running_product_is_well(stack: Stack) -> None:
    done = run(stack.environment, "--json")
    assert done.returncode == 0, done.stdout
    report = json.loads(done.stdout)
    states = {check["name"]: check["state"] for check in report["checks"]}
    assert report["ok"]
    for name in ("python", "packages", "database", "extensions", "migrations", "redis", "web", "runner", "worker"):
        assert states[name] == "ok", name
    assert states["model"] == "note"  # the demo model


@pytest.mark.timeout(120)
def test_what_is_missing_comes_with_its_mend(stack: Stack) -> None:
    broken = {
        **stack.environment,
        "DATABASE_URL": "postgresql://shop:hidden@127.0.0.1:1/shop",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "DEMO": "false",
    }
    done = run(broken)
    assert done.returncode == 1
    lines = {line.split()[1]: line for line in done.stdout.splitlines()}
    assert lines["database"].startswith("✗ database    DATABASE_URL cannot be used (127.0.0.1:1, database shop: ")
    assert "→ correct it, start that server, or leave DATABASE_URL empty" in lines["database"]
    assert "→ correct REDIS_URL" in lines["redis"]
    assert "→ set EMAIL_URL=" in lines["mail"]
    assert "hidden" not in done.stdout


@pytest.mark.django_db
def test_a_role_that_may_create_no_database_is_a_note() -> None:
    def found() -> dict[str, doctor.Finding]:
        return {one.name: one for one in doctor.here._database()}

    assert "evaluations" not in found()
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE ROLE poor_doctor NOCREATEDB IN ROLE "{connection.settings_dict["USER"]}"')
        cursor.execute("SET LOCAL ROLE poor_doctor")
    note = found()["evaluations"]
    assert (note.state, note.mend) == ("note", 'ALTER ROLE "poor_doctor" CREATEDB')


def test_a_wrong_argument_is_one_line(stack: Stack) -> None:
    done = run(stack.environment, "--loud")
    assert done.returncode == 2
    assert done.stderr == "manage.py doctor: unrecognized arguments: --loud\n"


def test_one_check_that_fails_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[doctor.Finding]:
        raise RuntimeError("out of order")

    monkeypatch.setattr(doctor.here, "CHECKS", (broken, doctor.here._python))
    first, second = doctor.examine()
    assert (first.name, first.state) == ("broken", "missing")
    assert second.state == "ok"
