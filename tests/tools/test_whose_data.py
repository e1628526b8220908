"""A tool works for the conversation's own verified customer; everything else looks as if it did not exist."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from support_agent.tools import ALL
from tests.cast import Cast
from tests.tools.conftest import Desk
from tickets.models import Action, Verification

FOREIGN, MISSING, OWN = "AP-200001", "AP-999999", "AP-100001"
BY_ORDER: dict[str, dict[str, Any]] = {
    "lookup_order": {},
    "track_shipment": {},
    "request_return": {"skus": ["TNT-2P-GRN"], "reason": "too small"},
    "request_refund": {"amount": "10.00", "reason": "dented"},
    "cancel_order": {"reason": "changed my mind"},
    "report_delivery_problem": {"kind": "damaged", "wish": "refund"},
}


@pytest.mark.parametrize("tool", BY_ORDER)
def test_anothers_order_is_as_good_as_missing(owner: Desk, tool: str) -> None:
    with CaptureQueriesContext(connection) as for_foreign:
        foreign = owner.call(tool, order_number=FOREIGN, **BY_ORDER[tool])
    with CaptureQueriesContext(connection) as for_missing:
        missing = owner.call(tool, order_number=MISSING, **BY_ORDER[tool])
    assert foreign == missing
    assert foreign["status"] == "not_found"
    assert len(for_foreign) == len(for_missing)
    assert not Action.objects.exists()


@pytest.mark.parametrize("tool", BY_ORDER)
def test_a_stranger_hears_the_same_of_every_order_and_nothing_is_looked_up(stranger: Desk, tool: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        answers = [stranger.call(tool, order_number=number, **BY_ORDER[tool]) for number in (OWN, FOREIGN, MISSING)]
    assert answers[0]["status"] == "needs_verification"
    assert answers[0] == answers[1] == answers[2]
    assert len(queries) == 0


def test_a_stranger_hears_the_same_of_every_account(stranger: Desk, cast: Cast) -> None:
    answers = [stranger.call("lookup_customer", email=email) for email in (cast.owner.email, "nobody@example.com")]
    assert answers[0] == answers[1]
    assert answers[0]["status"] == "needs_verification"
    assert stranger.call("update_customer", field="name", value="Eve Evil")["status"] == "needs_verification"


def test_only_the_customers_own_account_is_found(owner: Desk, cast: Cast) -> None:
    assert owner.call("lookup_customer", email=cast.owner.email.upper())["status"] == "success"
    foreign = owner.call("lookup_customer", email=cast.other.email)
    assert foreign == owner.call("lookup_customer", email="nobody@example.com")
    assert foreign["status"] == "not_found"
    assert cast.other.name not in str(foreign)


def test_no_tool_takes_the_customer_from_an_argument() -> None:
    for tool in ALL.values():
        assert not {"customer_id", "user_id", "conversation_id", "token"} & set(tool.arguments.model_fields)


def test_a_strangers_ticket_shows_and_joins_nothing_of_the_account(stranger: Desk, cast: Cast) -> None:
    ticket = {"subject": "Hello", "body": "Please call me", "category": "account"}
    for email in (cast.owner.email, "nobody@example.com"):
        stranger.writes(f"Write to {email}")
    known = stranger.call("create_ticket", customer_email=cast.owner.email, **ticket)
    unknown = stranger.call("create_ticket", customer_email="nobody@example.com", **ticket)
    for answer in (known, unknown):
        answer["ticket"].pop("number")
    assert known == unknown
    assert not cast.owner.tickets.exists()


def test_a_code_is_promised_in_the_same_words(cast: Cast) -> None:
    answers = [Desk(None).call("verify_identity", email=email) for email in (cast.owner.email, "nobody@example.com")]
    assert answers[0] == answers[1]
    assert (answers[0]["status"], answers[0]["state"]) == ("success", "requested")
    assert Verification.objects.count() == 2


def test_who_is_verified_needs_no_code(owner: Desk, cast: Cast) -> None:
    answers = [owner.call("verify_identity", email=email) for email in (cast.owner.email, cast.other.email)]
    assert answers[0] == answers[1]
    assert answers[0]["state"] == "verified"
    assert not Verification.objects.exists()
