"""Starting an evaluation run on the page: who may, and what is refused in words."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client

from support_agent.models import EvalRun, RunState
from tests.cast import Cast
from tests.ops.made import signed_in
from tests.ops.made_evals import HOME, body
from tickets.models import AuditEntry

pytestmark = pytest.mark.django_db


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
