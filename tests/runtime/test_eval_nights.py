"""Every night's run, and the alert that tells what got worse or has stopped."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from pydantic import SecretStr

from support_agent.env import env
from support_agent.models import Alert, EvalRun, RunState
from support_agent.runtime import eval_nightly
from support_agent.runtime.alert_checks import evaluations
from support_agent.runtime.alert_rules import rule_of
from support_agent.runtime.alert_watch import evaluate
from support_agent.runtime.eval_nightly import nightly_start
from tests.runtime.evaluating import NIGHTLY, ended

pytestmark = pytest.mark.django_db


def test_a_night_is_run_once() -> None:
    night = timezone.now().replace(hour=1, minute=40)
    (made,) = nightly_start(night)
    assert (made.kind, made.model, made.budget_usd) == ("nightly", "demo", None)
    assert nightly_start(night) == []
    tomorrow = night + timedelta(days=1)
    assert nightly_start(tomorrow) == []  # the last one waits still
    ended(made)
    assert len(nightly_start(tomorrow)) == 1


@pytest.mark.usefixtures("key")
def test_the_configured_models_only_with_a_budget_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [run.model for run in nightly_start()] == ["demo"]
    EvalRun.objects.all().delete()
    values = {"anthropic_api_key": SecretStr("a-key"), "evals_nightly_usd": Decimal("1.50")}
    rich = env.model_copy(update=values)
    monkeypatch.setattr(eval_nightly, "env", rich)
    assert [(run.model, run.budget_usd) for run in nightly_start()] == [("demo", None), ("live", Decimal("1.50"))]


def night(days_ago: int, model: str = "demo", **how: Any) -> EvalRun:
    made = EvalRun.objects.create(kind=NIGHTLY, model=model, created_at=timezone.now() - timedelta(days=days_ago))
    return ended(made, **how)


def told() -> dict[str, str]:
    return {one.subject: one.text for one in evaluations(timezone.now())}


def test_a_night_that_is_worse_than_the_last_is_told_by_its_cases() -> None:
    assert told() == {}
    night(1)
    assert told() == {}
    night(0, passed=4, failed=("case-4",))
    text = "In the nightly evaluation with the demo model, 1 of 5 cases failed; case-4 passed the night before."
    assert told() == {"demo": text}
    (one,) = evaluations(timezone.now())
    assert (one.details["failed"], one.details["worse"]) == ("case-4", "case-4")


def test_real_models_have_thresholds_and_may_trade_a_case_for_another() -> None:
    night(1, model="live", passed=3, failed=("case-3", "case-4"), is_passed=True)
    night(0, model="live", passed=4, failed=("case-4",), is_passed=True)
    assert told() == {}
    EvalRun.objects.all().delete()
    night(1, model="live", passed=4, failed=("case-4",), is_passed=True)
    night(0, model="live", passed=3, failed=("case-3", "case-4"), is_passed=True)
    assert "case-3 passed the night before" in told()["live"]


def test_a_night_that_could_not_be_run_is_told() -> None:
    night(0, state=RunState.FAILED, is_passed=None, error="Its process died.")
    assert told() == {"demo": "The nightly evaluation with the demo model could not be run: Its process died."}


@pytest.mark.parametrize("days", [4, 40])
def test_that_nights_have_stopped_is_told_until_the_next_one(days: int, monkeypatch: pytest.MonkeyPatch) -> None:
    old = night(days)
    night(days, model="live")
    (text,) = told().values()  # nobody wants one with the configured models
    assert text.startswith(f"No nightly evaluation with the demo model has come to an end since {old.created_at:%F}")
    rich = {"anthropic_api_key": SecretStr("a-key"), "evals_nightly_usd": Decimal(1)}
    with monkeypatch.context() as patched:
        patched.setattr(eval_nightly, "env", env.model_copy(update=rich))
        assert set(told()) == {"demo", "live"}
    night(0)
    assert told() == {}


def test_the_alert_ends_with_the_next_good_night(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    night(2)
    night(1, passed=4, failed=("case-4",))
    evaluate(now)
    alert = Alert.objects.get(kind="evals")
    assert (alert.resolved_at, alert.severity) == (None, rule_of("evals").severity)
    night(0)
    for minute in (1, 5):
        evaluate(now + timedelta(minutes=minute))
    alert.refresh_from_db()
    assert alert.resolved_at is not None
