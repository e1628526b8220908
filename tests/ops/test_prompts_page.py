"""The prompts page: versions compared, saved, activated, rolled back, and what each came to."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from support_agent.agent.prompts import prompt
from support_agent.models import PromptVersion
from support_agent.ops.selectors.prompts import compared
from support_agent.runtime import controls, prompting
from tests.cast import Cast
from tests.ops.made import HOUR, signed_in, talk, turn, verdict
from tickets.models import AuditEntry, Feedback, Message, Resolution, User

pytestmark = pytest.mark.django_db
PAGE = "/admin/ops/prompts/"


@pytest.mark.parametrize(("role", "status"), [("agent", 403), ("lead", 200), ("ops", 200), ("admin", 200)])
def test_who_may_open_it(role: str, status: int, client: Client, cast: Cast) -> None:
    assert signed_in(client, cast, role).get(PAGE).status_code == status
    form = {"name": "assistant", "text": "Be brief.", "note": "n"}
    assert client.post(f"{PAGE}save/", form).status_code == (302 if status == 200 else 403)


def activate(client: Client, version: PromptVersion | str) -> HttpResponse:
    """With an override: the release gate has tests of its own."""
    key = version if isinstance(version, str) else str(version.pk)
    form = {"name": "assistant", "version": key, "reason": "It cannot wait."}
    return client.post(f"{PAGE}activate/", form, follow=True)  # type: ignore[return-value]


def saved(client: Client, text: str, note: str = "why") -> str:
    answer = client.post(f"{PAGE}save/", {"name": "assistant", "text": text, "note": note})
    assert answer.status_code == 302
    return str(answer["Location"])


def test_a_version_is_saved_compared_activated_and_rolled_back(client: Client, cast: Cast) -> None:
    signed_in(client, cast, "lead")
    file = prompt("assistant").text
    where = saved(client, file.replace("\n", "\r\n") + "\r\nBe brief.")
    assert where == f"{PAGE}?prompt=assistant&version=1"
    comparison = client.get(where).context["prompt"].comparison
    assert [line.text for line in comparison.lines if line.kind == "added"] == ["Be brief."]
    assert (comparison.shown, comparison.against, comparison.removed) == ("version 1", "the file", 0)
    version = PromptVersion.objects.get()
    assert not version.is_active

    activate(client, version)
    controls.forget()
    assert controls.controls().prompts["assistant"].text == version.text
    assert client.get(PAGE).context["prompt"].active == version
    back = client.get(f"{PAGE}?prompt=assistant&version=file").context["prompt"].comparison
    assert (back.shown, back.against, back.removed) == ("the file", "version 1", 1)

    activate(client, "file")
    controls.forget()
    assert "assistant" not in controls.controls().prompts
    assert client.get(PAGE).context["prompt"].text == file
    deeds = [entry.action for entry in AuditEntry.objects.order_by("created_at")]
    assert deeds == ["prompt.save", "prompt.activate", "prompt.use_file"]


def test_a_refused_text_is_not_lost(client: Client, cast: Cast) -> None:
    form = {"name": "planner", "text": "a word too many " * 3000, "note": "n"}
    answer = signed_in(client, cast).post(f"{PAGE}save/", form)
    assert answer.status_code == 422
    shown = answer.content.decode()
    assert "A prompt stays under 2,000 tokens" in shown
    assert form["text"].strip() in shown
    assert answer.context["prompt"].name == "planner"
    assert not PromptVersion.objects.exists()


@pytest.mark.parametrize("form", [{"name": "x"}, {"name": "assistant", "version": "1"}, {"name": "assistant"}])
def test_a_version_that_is_not_there_is_404(form: dict[str, str], client: Client, cast: Cast) -> None:
    assert signed_in(client, cast).post(f"{PAGE}activate/", form).status_code == 404
    other = PromptVersion.objects.create(name="planner", number=1, text="t")
    form = {"name": "assistant", "version": str(other.pk)}
    assert client.post(f"{PAGE}activate/", form).status_code == 404


def test_a_comparison_shows_what_changed_and_counts_the_rest() -> None:
    before = [f"line {number}" for number in range(20)]
    after = [*before[:10], "new", *before[11:]]
    lines = [(line.kind, line.text) for line in compared("\n".join(before), "\n".join(after))]
    assert lines == [
        ("skipped", "8 lines the same"), ("same", "line 8"), ("same", "line 9"), ("removed", "line 10"),
        ("added", "new"), ("same", "line 11"), ("same", "line 12"),
    ]  # fmt: skip
    assert list(compared("same", "same")) == []


def version_of(number: int) -> str:
    return str(PromptVersion.objects.get(name="assistant", number=number).pk)


def test_any_two_versions_are_compared(client: Client, cast: Cast) -> None:
    signed_in(client, cast)
    for text in ("one", "two", "three"):
        saved(client, text)
    shown = client.get(f"{PAGE}?prompt=assistant&version=1&against=3").context["prompt"].comparison
    assert [(line.kind, line.text) for line in shown.lines] == [("removed", "three"), ("added", "one")]
    assert (shown.shown, shown.against) == ("version 1", "version 3")


def test_what_speaks_is_not_offered_against_itself(client: Client, cast: Cast) -> None:
    signed_in(client, cast, "lead")
    for words in ("Be brief.", "Be kind."):
        saved(client, f"{prompt('assistant').text}\n{words}")
    newest = PromptVersion.objects.get(number=2)
    assert '<option value="2" selected>version 2' in client.get(PAGE).content.decode()
    activate(client, newest)
    assert '<option value="1" selected>version 1' in client.get(PAGE).content.decode()
    PromptVersion.objects.exclude(number=2).delete()
    assert '<option value="file" selected>the file' in client.get(PAGE).content.decode()


def test_rolling_back_goes_to_what_spoke_before(client: Client, cast: Cast) -> None:
    signed_in(client, cast, "lead")
    for number, text in enumerate(("one", "two"), start=1):
        saved(client, text)
        activate(client, version_of(number))
    page = client.get(PAGE)
    assert page.context["before"].number == 1
    assert "Roll back to version 1" in page.content.decode()
    activate(client, version_of(1))
    assert client.get(PAGE).context["before"].number == 2
    activate(client, "file")
    activate(client, version_of(2))
    assert "Roll back to the file" in client.get(PAGE).content.decode()


def test_every_activation_asks_the_gate(client: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    signed_in(client, cast, "lead")
    saved(client, "one")
    asked: list[tuple[PromptVersion, User]] = []

    def refuses(version: PromptVersion, staff: User, reason: str) -> str | None:
        asked.append((version, staff))
        return "The evaluations have not passed."

    monkeypatch.setattr(prompting, "activation_allowed", refuses)
    answer = activate(client, version_of(1))
    assert "The evaluations have not passed." in answer.content.decode()
    assert [staff for _, staff in asked] == [cast.lead]
    assert not PromptVersion.objects.filter(is_active=True).exists()


def test_what_speaks_cannot_be_activated_again(client: Client, cast: Cast) -> None:
    signed_in(client, cast, "lead")
    saved(client, "one")
    for _ in range(2):
        answer = activate(client, version_of(1))
    assert "Version 1 of assistant speaks already." in answer.content.decode()
    assert AuditEntry.objects.filter(action="prompt.activate").count() == 1


def test_figures_by_version(client: Client, cast: Cast) -> None:
    ours: dict[str, Any] = {"prompt_version": "assistant-db1-0123abcd"}
    conversation = talk(cast.owner)
    for seconds, state in ((1, "answered"), (2, "answered"), (9, "escalated")):
        one = turn(conversation, cost_usd=Decimal("0.02"), state=state, **ours)
        one.finished_at = one.created_at + timedelta(seconds=seconds)
        one.save()
        verdict(one, 20)
        verdict(one, None, status="failed")
    message = Message.objects.create(conversation=conversation, role="assistant", text="Hi.", turn_id=one.pk, seq=1)
    Feedback.objects.create(message=message, helpful=True)
    Resolution.objects.create(conversation=conversation, kind="assumed")
    turn(talk(cast.owner), prompt_version="assistant-1-00000000")
    turn(talk(cast.owner), ago=40 * 24 * HOUR, **ours)
    rows = {row.noted: row for row in signed_in(client, cast).get(PAGE).context["figures"]}
    mine, former = rows["assistant-db1-0123abcd"], rows["assistant-1-00000000"]
    assert (mine.number, mine.turns, mine.each_usd, mine.p50_ms) == ("1", 3, Decimal("0.02"), 2000)
    assert mine.p95_ms > 8000
    assert mine.accepted.value == 0.5
    assert mine.escalated.value == pytest.approx(1 / 3)
    assert (mine.resolved.value, mine.alone, mine.thumbs.value) == (1.0, 1, 1.0)
    assert mine.is_few
    assert (former.number, former.is_past, former.accepted.value) == ("", True, None)
    longer = {row.noted: row.turns for row in client.get(f"{PAGE}?span=quarter").context["figures"]}
    assert longer[mine.noted] == 4
    assert "no figures for planner" in client.get(f"{PAGE}?prompt=planner").content.decode()


def test_nothing_stored_runs_on_the_page(client: Client, cast: Cast) -> None:
    attack = '</textarea><script>alert(1)</script><img src=x onerror="alert(1)">'
    signed_in(client, cast)
    saved(client, attack, note=attack)
    for query in (
        "",
        "?prompt=assistant&version=1",
        f"?span={attack}&prompt={attack}&version={attack}&against={attack}",
    ):
        shown = client.get(PAGE + query).content.decode()
        assert "alert(1)" in shown
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown
        assert " style=" not in shown


def test_it_takes_as_many_queries_for_much_as_for_little(client: Client, cast: Cast) -> None:
    signed_in(client, cast)
    counts = []
    for more in (1, 6):
        for number in range(more):
            saved(client, f"text {number}")
            turn(talk(cast.owner), prompt_version=f"assistant-db{number}-0123abcd")
        client.get(PAGE)
        with CaptureQueriesContext(connection) as queries:
            client.get(f"{PAGE}?version=1")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 20
