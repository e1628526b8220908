"""Turns as evaluation cases: people are taken out, records put in, and the evaluation runs them."""

from __future__ import annotations

import io
import json
from importlib import import_module

import pytest
import yaml
from django.apps import apps
from django.core.management import call_command
from django.db import connection

from support_agent.evals.redaction import Redactor
from support_agent.evals.saved import load_saved
from support_agent.evals.saving import case_save
from support_agent.models import Replay, SavedCase
from tests.cast import Cast, make_cast
from tests.replay.made import ended_turn

SECRETS = ("olivia", "AP-100001", "AP-200001", "Fir", "4111", "0188", "max@", "Maxwell")


@pytest.mark.django_db
def test_people_and_numbers_are_replaced(cast: Cast) -> None:
    said = (
        "Hi, this is Maxwell Smart for Olivia Owner (olivia.owner@example.com, max@example.net). Where is AP-100001? "
        "Not AP-200001! I live at 9 Maple Grove Road, Eugene, OR 97401; call +1 503 555 0188, "
        "card 4111 1111 1111 1111. A {brace} too."
    )
    made = case_save(turn=ended_turn(cast.owner, said), replay=None, name="", staff=cast.ops)
    (case,) = yaml.safe_load(made.yaml)
    assert case["steps"] == [
        "Hi, this is Alex Moss for {customer.name} ({customer.email}, someone1@example.com). Where is "
        "{delivered_order}? Not {other.delivered_order}! I live at 1 Alder Street, Salem, OR 97301; "
        "call 503-555-0101, card [card]. A (brace) too."
    ]
    assert not [secret for secret in SECRETS if secret.lower() in made.yaml.lower()]
    assert case["records"] == ["delivered_order", "other.delivered_order"]
    assert case["expect"] == {
        "outcome": "resolved", "tools": ["lookup_order"], "says": ["{delivered_order}", "{delivered_order.total}"],
    }  # fmt: skip


@pytest.mark.django_db
def test_cases_saved_before_the_outcome_was_called_resolved_still_run() -> None:
    said = '- id: old\n  customer: owner\n  steps: ["outcome: answered"]\n'
    SavedCase.objects.create(name="old", yaml=f"{said}  expect:\n    outcome: answered\n")
    SavedCase.objects.create(name="flow", yaml=f"{said}  expect: {{outcome: answered}}\n".replace("old", "flow"))
    migration = import_module("support_agent.migrations.0023_cases")
    migration.forwards(apps, connection.schema_editor())
    assert [case.expect.outcome for case in load_saved()] == ["resolved", "resolved"]
    assert [case.steps[0].say for case in load_saved()] == ["outcome: answered", "outcome: answered"]
    migration.backwards(apps, connection.schema_editor())
    assert SavedCase.objects.get(name="old").yaml == f"{said}  expect:\n    outcome: answered\n"


def test_the_same_is_replaced_by_the_same() -> None:
    redact = Redactor({"Ann Lee": "{customer.name}"}, {"AP-1": "{paid_order}"})
    assert redact("a@b.co and c@d.co, then a@b.co") == "someone1@example.com and someone2@example.com, then " + (
        "someone1@example.com"
    )
    assert redact("I, ANN LEE, ordered ap-1, not AP-12; 1234 5678 9012 3456 is no card") == (
        "I, {customer.name}, ordered {paid_order}, not AP-12; 1234 5678 9012 3456 is no card"
    )
    assert redact("I am looking for it. I am Looking too.") == "I am looking for it. I am Looking too."


@pytest.mark.parametrize(
    "phone",
    [
        "+49 151 23456789",
        "0049 170 1234567",
        "+33 6 12 34 56 78 90",
        "+33612345678",
        "0151 234567891",
        "020 7946 0958",
        "06 12 34 56 78",
        "(503) 555-0199",
        "503-555-0199",
        "503 5550199",
        "612 345 678",
    ],
)
def test_phone_numbers_of_all_countries_are_replaced(phone: str) -> None:
    redact = Redactor({}, {"AP-1": "{paid_order}"})
    found = redact(f"Call {phone}, about AP-1. Again: {phone}")
    assert found == "Call 503-555-0101, about {paid_order}. Again: 503-555-0101"


def test_a_number_that_is_said_to_be_a_phone_is_replaced() -> None:
    assert Redactor({}, {})("my mobile is 15123456780 thanks") == "my mobile is 503-555-0101 thanks"
    account = "DE89 3704 0044 0532 0130 00"
    assert Redactor({}, {})(f"{account} 0151 23456789") == "[iban] 503-555-0101"


@pytest.mark.parametrize(
    "text",
    [
        "parcel 1234 5678 9012 3456, or 1234 5678 9012",
        "parcel 9400 1000 0000 0000 0000 01",
        "parcel 1Z999AA10123456784 of 2026-11-21",
        "DHL 00340434161094042557, GLS 12345678901",
        "on 21.11.2026 at 10:30 for 1299.00, order 4711 of 2026",
    ],
)
def test_what_is_no_phone_number_stays(text: str) -> None:
    assert Redactor({}, {})(text) == text


@pytest.mark.django_db
def test_what_a_replay_did_can_be_what_is_right(cast: Cast) -> None:
    turn = ended_turn(cast.owner, "Please cancel AP-100002, I no longer need it")
    offered = {
        "index": 0, "kind": "tool_call", "tool": "cancel_order", "status": "pending_confirmation", "cost_usd": 0.2,
        "input": {"order_number": "AP-100002", "reason": "no longer needed"}, "output": {},
    }  # fmt: skip
    replay = Replay.objects.create(
        turn=turn, state="done", outcome="answered", text="Please confirm for AP-100002.", steps=[offered]
    )
    (case,) = yaml.safe_load(case_save(turn=turn, replay=replay, name="offer", staff=cast.ops).yaml)
    assert case["expect"] == {
        "outcome": "resolved", "tools": ["cancel_order"], "says": ["{paid_order}"],
        "end": {"actions": ["cancel_order proposed"]},
    }  # fmt: skip
    assert case["max_cost_usd"] == 0.4


@pytest.mark.django_db
def test_what_was_said_before_is_part_of_it(cast: Cast) -> None:
    first = ended_turn(cast.owner, "I have a question about AP-100001")
    turn = ended_turn(cast.owner, "Where is it?", conversation=first.conversation)
    (case,) = yaml.safe_load(case_save(turn=turn, replay=None, name="", staff=cast.ops).yaml)
    assert case["steps"] == ["I have a question about {delivered_order}", "Where is it?"]


@pytest.mark.timeout(240)  # a database is made for it
@pytest.mark.django_db(transaction=True)
def test_a_saved_case_is_run_by_run_evals() -> None:
    cast = make_cast()
    case_save(turn=ended_turn(cast.owner), replay=None, name="from-life", staff=cast.ops)
    SavedCase.objects.create(
        name="wrong", yaml="- {id: wrong, customer: owner, steps: [hello], expect: {outcome: resolved, says: [moon]}}"
    )
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("run_evals", "saved", json=True, stdout=out)
    assert ended.value.code == 1
    report = json.loads(out.getvalue())
    assert [(case["id"], case["status"]) for case in report["cases"]] == [("from-life", "passed"), ("wrong", "failed")]
    assert {case["suite"] for case in report["cases"]} == {"saved"}


@pytest.mark.django_db
def test_without_a_saved_case_the_suite_is_a_wrong_argument() -> None:
    err = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("run_evals", "saved", stderr=err)
    assert ended.value.code == 2
    assert "no case is saved yet" in err.getvalue()
