"""The list of evaluation runs: who reads it, what it tells, where it leads, and its files."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta

import pytest
from django.test import Client

from support_agent.models import EvalResult, EvalRun, RunState
from tests.cast import Cast
from tests.ops.made import HOUR, signed_in
from tests.ops.made_evals import HOME, body, gate, opened, result, run, version

pytestmark = pytest.mark.django_db


def rows(client: Client, query: str = "") -> list[EvalRun]:
    return [row.run for row in client.get(HOME + query).context["found"].rows]


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
