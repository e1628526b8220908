"""The pages of evaluation runs with much in them: queries do not grow, and they stay quick."""

from __future__ import annotations

from datetime import timedelta
from time import perf_counter

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from support_agent.models import EvalRun
from tests.cast import Cast
from tests.ops.made import HOUR, signed_in
from tests.ops.made_evals import HOME, run

pytestmark = pytest.mark.django_db


def many(runs: int, cases: int) -> EvalRun:
    """So many runs of so many cases, in a few statements."""
    moment = timezone.now()
    made = EvalRun.objects.bulk_create(
        EvalRun(kind="nightly", model="many", state="done", is_passed=True, total=cases,
                created_at=moment - timedelta(hours=number),
                summary={"cases": cases, "passed": cases, "pass_at_1": {"value": 1.0, "low": 0.97, "high": 1.0}})
        for number in range(runs)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO support_agent_evalresult (id, created_at, run_id, "case", suite, adversarial, fingerprint,'
            " written, status, runs, held, failures, outcome, tools, said, cost_usd, steps, seconds)"
            " SELECT gen_random_uuid(), r.created_at, r.id, 'case-' || n, 'theme-' || n %% 8, '', 'f1', 'text',"
            " CASE WHEN n %% 50 = 0 THEN 'failed' ELSE 'passed' END, 1, 1, '[]', 'resolved', '[]', '[]', 0.01, 4, 1.0"
            " FROM support_agent_evalrun r, generate_series(1, %s) n WHERE r.model = 'many'",
            [cases],
        )
        cursor.execute("ANALYZE support_agent_evalresult")
    return made[0]


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(HOME + address).status_code == 200
    return len(asked)


def test_queries_do_not_grow_with_rows(client: Client, cast: Cast) -> None:
    signed_in(client, cast)
    one = run({"case-1": "passed"}, kind="nightly", ago=900 * HOUR)
    two = run({"case-1": "failed"}, kind="nightly", ago=901 * HOUR)
    pages = ["", f"{one.pk}/", f"compare/?a={two.pk}&b={one.pk}", "cases/case-1/"]
    few = [queries(client, page) for page in pages]
    newest = many(60, 40)
    other = EvalRun.objects.exclude(pk=newest.pk).latest("created_at")
    pages = ["", f"{newest.pk}/", f"compare/?a={other.pk}&b={newest.pk}", "cases/case-1/"]
    assert [queries(client, page) for page in pages] == few
    assert max(few) <= 14


def test_a_thousand_runs_of_150_cases_stay_quick(client: Client, cast: Cast) -> None:
    newest = many(1000, 150)
    other = EvalRun.objects.exclude(pk=newest.pk).latest("created_at")
    signed_in(client, cast)
    took: dict[str, float] = {}
    for page in ("", f"{newest.pk}/", f"compare/?a={other.pk}&b={newest.pk}", "cases/case-50/", "?page=15"):
        client.get(HOME + page)  # templates are read once
        started = perf_counter()
        assert client.get(HOME + page).status_code == 200
        took[page] = perf_counter() - started
    assert max(took.values()) < 2.0, took
