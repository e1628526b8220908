"""The pages of evaluation runs: who reads them, what they tell, where each figure leads, and that much stays quick."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta
from decimal import Decimal
from time import perf_counter

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from support_agent.models import EvalResult, EvalRun, RunState, SavedCase
from tests.cast import Cast
from tests.ops.made import HOUR, signed_in
from tests.ops.made_evals import YAML, gate, result, run, version
from tickets.models import AuditEntry

pytestmark = pytest.mark.django_db
HOME = "/admin/evals/"
NOBODY = "01900000-0000-7000-8000-000000000000"


def body(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return str(answer.content.decode())


def opened(of: EvalRun, case: str) -> str:
    """Where one case of a run is shown."""
    return f"results/{EvalResult.objects.get(run=of, case=case).pk}/"


def rows(client: Client, query: str = "") -> list[EvalRun]:
    return [row.run for row in client.get(HOME + query).context["found"].rows]


# Who.


@pytest.mark.parametrize("role", ["agent", "lead", "ops", "admin"])
def test_all_staff_read_and_managers_start_and_export(role: str, client: Client, cast: Cast) -> None:
    made = run({"a": "passed"})
    manages = 200 if role != "agent" else 403
    signed_in(client, cast, role)
    for page in ("", f"{made.pk}/", opened(made, "a"), "compare/", "cases/a/"):
        assert client.get(HOME + page).status_code == 200, page
    for page in ("start/", "export.csv", "export.json", f"{made.pk}/export.csv", f"{made.pk}/export.json"):
        assert client.get(HOME + page).status_code == manages, page
    text = body(client, HOME)
    assert ("Start a run" in text) is (role != "agent")
    assert "/admin/ops/prompts/" not in text or role != "agent"  # they could not open it


def test_everybody_else_is_sent_to_the_sign_in(client: Client, cast: Cast) -> None:
    client.force_login(cast.owner_user)
    assert client.get(HOME)["Location"].startswith("/admin/login/")


def test_the_desk_leads_there(client: Client, cast: Cast) -> None:
    for page in ("/admin/inbox/", "/admin/"):
        assert 'href="/admin/evals/"' in body(signed_in(client, cast, "agent"), page)


# The list.


def test_nothing_yet_says_how_to_begin(client: Client, cast: Cast) -> None:
    text = body(signed_in(client, cast), HOME)
    assert "No run yet." in text
    assert "No nightly run has come to its end yet." in text
    assert "No run matches." in body(client, f"{HOME}?kind=gate")


def test_a_row_tells_what_came_of_a_run(client: Client, cast: Cast) -> None:
    made = run({"a": "passed", "b": "failed", "c": "passed", "d": "skipped"}, repeat=3, kind="page", asked_by=cast.lead)
    told = client_row(signed_in(client, cast), made)
    for words in ("Failed", "66.7%", "63% – 68%", "2<span", "of 2", "$0.0492", "42.0 s", "By staff", "demo", "files"):
        assert words in told, words
    assert f'href="{HOME}{made.pk}/#failed"' in told


def client_row(client: Client, made: EvalRun) -> str:
    found = re.search(rf'<tr id="run-{made.pk}">.*?</tr>', body(client, HOME), re.S)
    assert found
    return found[0]


def test_newest_first_filtered_and_paged(client: Client, cast: Cast) -> None:
    third = version(3)
    old = run(kind="nightly", ago=9 * HOUR)
    theme = run(kind="page", suite="orders", ago=8 * HOUR)
    real = run(model="claude-sonnet-5-5", ago=7 * HOUR)
    tried = gate(third, ago=6 * HOUR, is_passed=False)
    spoke = run(prompts={"assistant": 3, "planner": None}, ago=5 * HOUR)
    stopped = run(state=RunState.FAILED, is_passed=None, ago=4 * HOUR)
    signed_in(client, cast)
    assert rows(client) == [stopped, spoke, tried, real, theme, old]
    expected = {
        "?kind=nightly": [old],
        "?suite=orders": [theme],
        "?suite=all&kind=nightly": [old],
        "?model=claude-sonnet-5-5": [real],
        "?prompt=assistant:3": [spoke, tried],
        "?prompt=planner:3": [],
        "?prompt=file": [stopped, real, theme, old],
        "?verdict=failed": [tried],
        "?verdict=stopped": [stopped],
        "?verdict=goes_on": [],
        "?kind=nonsense&verdict=odd": [stopped, spoke, tried, real, theme, old],
        "?prompt=assistant:x": [],
        "?page=2": [],
    }
    assert {query: rows(client, query) for query in expected} == expected


def test_pages_lead_on_and_back(client: Client, cast: Cast) -> None:
    EvalRun.objects.bulk_create(EvalRun(kind="command", state="done", model="m") for _ in range(51))
    signed_in(client, cast)
    first = client.get(f"{HOME}?model=m")
    assert (len(first.context["found"].rows), first.context["older"]) == (50, "model=m&page=2")
    second = client.get(f"{HOME}?{first.context['older']}")
    assert (len(second.context["found"].rows), second.context["newer"]) == (1, "model=m&page=1")


def test_it_is_live_while_one_goes_on(client: Client, cast: Cast) -> None:
    signed_in(client, cast)
    made = run({"a": "passed"}, state=RunState.RUNNING, total=4, summary={}, is_passed=None, finished_at=None)
    for address in (HOME, f"{HOME}{made.pk}/"):
        text = body(client, address)
        assert 'hx-trigger="every 2s"' in text
        assert "1 of 4" in text
        assert 'http-equiv="refresh"' in text  # without scripts
    EvalRun.objects.update(state=RunState.DONE)
    for address in (HOME, f"{HOME}{made.pk}/"):
        assert "every 2s" not in body(client, address)


def test_the_nights_are_drawn_and_told(client: Client, cast: Cast) -> None:
    nights = [
        run({"a": "passed", "b": status}, kind="nightly", ago=timedelta(days=days))
        for days, status in ((3, "passed"), (2, "failed"), (1, "passed"))
    ]
    run({"a": "failed"}, kind="nightly", state=RunState.FAILED)
    run({"a": "failed"}, kind="page")
    page = signed_in(client, cast).get(HOME)
    trend = page.context["trend"]
    assert [night.href for night in trend.nights] == [f"{HOME}{night.pk}/" for night in nights]
    assert [night.figures.verdict for night in trend.nights] == ["passed", "failed", "passed"]
    places = [night.y for night in trend.nights]
    assert places[0] == places[2] < places[1]  # higher on the page is better
    assert (trend.wanted_share, trend.floor) == (0.95, 0.4)
    assert [column.value for column in trend.panels[0].columns] == ["0", "1", "0"]
    assert client.get(f"{HOME}?kind=nightly").context["trend"] is None


# Starting one.


def test_a_run_is_started(client: Client, cast: Cast) -> None:
    signed_in(client, cast, "lead")
    assert 'name="suite"' in body(client, f"{HOME}start/?part=1")
    answer = client.post(f"{HOME}start/", {"suite": "orders", "model": "demo", "repeat": "3", "budget_usd": ""})
    made = EvalRun.objects.get()
    assert answer["Location"] == f"{HOME}{made.pk}/"
    assert (made.kind, made.suite, made.model, made.repeat, made.budget_usd) == ("page", "orders", "demo", 3, None)
    assert (made.asked_by, made.state) == (cast.lead, RunState.QUEUED)
    assert AuditEntry.objects.filter(action="evals.start", actor=cast.lead).exists()
    text = body(client, f"{HOME}{made.pk}/")
    assert "waits for a worker" in text
    client.post(f"{HOME}start/", {"suite": "", "case": "where-is-my-order"})
    assert EvalRun.objects.latest("created_at").suite == "where-is-my-order"


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"suite": "nonsense"}, "There is no suite or case “nonsense”"),
        ({"case": "no-such-case"}, "There is no suite or case “no-such-case”"),
        ({"repeat": "0"}, "A case can be run 1 to 20 times."),
        ({"repeat": "many"}, "A case can be run 1 to 20 times."),
        ({"model": "claude-sonnet-5-5", "budget_usd": "1"}, "Without ANTHROPIC_API_KEY"),
        ({"model": "no-model"}, "There is no model “no-model”"),
        ({"budget_usd": "-1"}, "A budget is an amount of USD above nought"),
    ],
)
def test_what_cannot_be_run_is_refused_in_words(form: dict[str, str], why: str, client: Client, cast: Cast) -> None:
    answer = signed_in(client, cast).post(f"{HOME}start/", form)
    assert answer.status_code == 422
    assert why in answer.content.decode()
    assert not EvalRun.objects.exists()


def test_a_model_that_costs_needs_a_budget(client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from support_agent.env import env

    monkeypatch.setattr(type(env), "demo_model", property(lambda _: False))
    signed_in(client, cast)
    assert "May cost, USD" in body(client, f"{HOME}start/")
    form = {"model": "claude-sonnet-5-5", "suite": "orders"}
    answer = client.post(f"{HOME}start/", form)
    assert "it needs a budget" in answer.content.decode()
    assert '<option value="claude-sonnet-5-5" selected>' in answer.content.decode()  # what was chosen stays
    assert client.post(f"{HOME}start/", form | {"budget_usd": "2.50"}).status_code == 302
    assert EvalRun.objects.get().budget_usd == Decimal("2.50")


def test_an_agent_starts_none(client: Client, cast: Cast) -> None:
    assert signed_in(client, cast, "agent").post(f"{HOME}start/", {}).status_code == 403
    assert not EvalRun.objects.exists()


# One run.


def test_a_run_shows_what_failed_first(client: Client, cast: Cast) -> None:
    before = run({"a": "passed"}, ago=3 * HOUR)
    run({"a": "passed"}, ago=2 * HOUR, suite="orders")
    made = run({"a": "passed", "b": "failed", "s": "skipped"}, error="")
    page = signed_in(client, cast).get(f"{HOME}{made.pk}/")
    shown, text = page.context["page"], page.content.decode()
    assert [row.case for row in shown.failed] == ["b"]
    assert shown.counts == {"passed": 1, "failed": 1, "skipped": 1}
    assert "expected the outcome resolved, found escalated" in text
    assert text.index('id="failed-title"') < text.index('id="suites-title"')
    assert shown.before == before
    assert f"{HOME}compare/?a={before.pk}&amp;b={made.pk}" in text
    assert "cases passed 50.0%" in text
    assert f'hx-get="{HOME}{opened(made, "b")}?part=1"' in text
    assert "On its way." not in text  # fetched when it is opened


def test_a_case_of_a_run_opens(client: Client, cast: Cast) -> None:
    made = run({"b": "failed"})
    signed_in(client, cast)
    part, page = (body(client, f"{HOME}{opened(made, 'b')}{query}") for query in ("?part=1", ""))
    for words in ("Where is b?", "On its way.", "found escalated", "- id: b", f"{HOME}cases/b/"):
        assert words in part
        assert words in page
    assert part.index("lookup_order") < part.index("track_shipment")
    assert "<html" not in part


@pytest.mark.parametrize("page", ["x/", "cases/nothing/", f"{NOBODY}/", f"results/{NOBODY}/", f"{NOBODY}/export.csv"])
def test_what_is_not_there_is_404(page: str, client: Client, cast: Cast) -> None:
    assert signed_in(client, cast).get(HOME + page).status_code == 404


def test_a_run_that_stopped_says_why(client: Client, cast: Cast) -> None:
    made = run({}, state=RunState.FAILED, is_passed=None, summary={}, error="Its process died.")
    text = body(signed_in(client, cast), f"{HOME}{made.pk}/")
    assert "Its process died." in text
    assert "Stopped" in text


def test_odd_rows_do_not_break_the_pages(client: Client, cast: Cast) -> None:
    """Rows of an older or newer release: a summary of another shape, a thread without words."""
    made = run({}, summary={"pass_at_1": "0.5", "cases": None, "adversarial": "x"}, thresholds=[1], prompts=[])
    odd = result(made, "a", said=[{"who": "customer"}, {}], tools=[1], failures=[{"x": 1}], status="failed")
    signed_in(client, cast)
    for page in ("", f"{made.pk}/", f"results/{odd.pk}/", "cases/a/", f"compare/?a={made.pk}&b={made.pk}"):
        assert client.get(HOME + page).status_code == 200, page


# A case's history.


def test_a_case_through_all_runs(client: Client, cast: Cast) -> None:
    texts = [("f1", "old\nsame"), ("f1", "old\nsame"), ("f2", "new\nsame")]
    made = []
    for number, ((mark, text), status) in enumerate(zip(texts, ("passed", "failed", "passed"), strict=True)):
        of = run({}, ago=(9 - number) * HOUR)
        made.append(result(of, "a", status, fingerprint=mark, written=text))
    page = signed_in(client, cast).get(f"{HOME}cases/a/")
    shown, text = page.context["page"], page.content.decode()
    assert [(mark.result.status, mark.is_changed) for mark in shown.marks] == [
        ("passed", False), ("failed", False), ("passed", True)
    ]  # fmt: skip
    assert (shown.passed, shown.counted) == (2, 3)
    assert [(line.kind, line.text) for line in shown.changes] == [
        ("removed", "old"), ("added", "new"), ("same", "same")
    ]  # fmt: skip
    assert f'href="{HOME}results/{made[1].pk}/"' in text
    assert re.search(r'visually-hidden">[^<]* failed</span>', text)  # told without colour
    assert re.search(r'visually-hidden">[^<]* passed, its text had changed</span>', text)
    assert [panel.title for panel in shown.panels] == ["Cost a run", "Time a run"]


def test_a_saved_case_leads_to_its_record_and_shows_its_text_of_now(client: Client, cast: Cast) -> None:
    saved = SavedCase.objects.create(name="a", yaml="- id: a\n  about: newer\n", made_by=cast.lead)
    run({"a": "passed"})
    text = body(signed_in(client, cast), f"{HOME}cases/a/")
    assert f"/admin/support_agent/savedcase/{saved.pk}/change/" in text
    assert "about: newer" in text
    assert "It was changed since its newest run." in text
    SavedCase.objects.update(yaml=YAML.format(case="a"))
    assert "It was changed since" not in body(client, f"{HOME}cases/a/")


def test_a_history_of_one_model(client: Client, cast: Cast) -> None:
    run({"a": "passed"})
    run({"a": "failed"}, model="claude-sonnet-5-5")
    signed_in(client, cast)
    assert len(client.get(f"{HOME}cases/a/").context["page"].marks) == 2
    one = client.get(f"{HOME}cases/a/?model=claude-sonnet-5-5").context["page"]
    assert [mark.result.status for mark in one.marks] == ["failed"]
    assert client.get(f"{HOME}cases/a/?model=other").status_code == 404


# Files.


def lines(client: Client, address: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(client.get(address).getvalue().decode())))


def test_exports_for_spreadsheets(client: Client, cast: Cast) -> None:
    made = run({"a": "passed", "b": "failed"}, kind="nightly", asked_by=cast.lead)
    run({}, kind="page")
    EvalResult.objects.filter(case="b").update(failures=["=HYPERLINK(1)"], case="=b")
    signed_in(client, cast)
    listed = lines(client, f"{HOME}export.csv?kind=nightly")
    assert [(row["id"], row["verdict"], row["failed"], row["pass_at_1"]) for row in listed] == [
        (str(made.pk), "failed", "1", "0.5")
    ]
    told = {row["case"]: row for row in lines(client, f"{HOME}{made.pk}/export.csv")}
    assert set(told) == {"a", "'=b"}  # no formula
    assert told["'=b"]["failures"] == "'=HYPERLINK(1)"
    assert told["a"]["tools"] == "lookup_order > track_shipment"
    cases = json.loads(client.get(f"{HOME}{made.pk}/export.json").getvalue())
    assert cases[1]["said"][1] == {"who": "assistant", "text": "On its way."}
    assert len(json.loads(client.get(f"{HOME}export.json").getvalue())) == 2


# Much.


def test_nothing_stored_runs_on_the_pages(client: Client, cast: Cast) -> None:
    attack = "</pre></textarea><script>alert(1)</script><img src=x onerror=alert(1)>"
    made = run({}, error=attack, suite=attack[:80], model=attack[:60], code=attack[:64])
    result(made, attack[:60], "failed", written=attack, failures=[attack], said=[{"who": attack, "text": attack}],
           tools=[attack], suite=attack[:80], adversarial=attack[:60])  # fmt: skip
    EvalRun.objects.filter(pk=made.pk).update(state=RunState.DONE)
    signed_in(client, cast)
    pages = ["", f"{made.pk}/", "start/", f"?suite={attack}&model={attack}&prompt={attack}"]
    for page in [*pages, f"compare/?a={attack}&b={made.pk}"]:
        text = body(client, HOME + page)
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert " style=" not in text


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
