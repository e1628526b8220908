"""The pages of one evaluation run, of a case in it, and of a case through all runs."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from support_agent.models import RunState, SavedCase
from tests.cast import Cast
from tests.ops.made import HOUR, signed_in
from tests.ops.made_evals import HOME, YAML, body, opened, result, run

pytestmark = pytest.mark.django_db

NOBODY = "01900000-0000-7000-8000-000000000000"


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
