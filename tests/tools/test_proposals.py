"""Mutations only propose: the preview says what a click would do, a refusal says why in plain words."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings
from pydantic import ValidationError

from support_agent.tools import ALL
from support_agent.tools.escalation import EscalateToHuman
from tests.cast import Cast
from tests.tools.conftest import Desk, Json
from tickets.models import Action, Conversation, Escalation, Order, Refund, Return, Ticket
from tickets.services.actions import action_decide, action_token
from tickets.services.conversations import conversation_claim

REFUND: Json = {"order_number": "AP-100001", "amount": 25, "reason": "dented"}
SEND_BACK: Json = {"order_number": "AP-100001", "skus": ["lan-01-blk", "LAN-01-BLK "], "reason": "too dark"}


def click(desk: Desk, result: Json) -> Action:
    action = Action.objects.get(pk=result["action_id"])
    token = action_token(
        action_id=action.pk,
        conversation_id=action.conversation_id,
        customer_id=action.customer_id,
        tool=action.tool,
        arguments=action.arguments,
        expires_at=action.expires_at,
    )
    return action_decide(conversation=desk.conversation, action_id=action.pk, token=token, approve=True)


@pytest.mark.parametrize(
    ("tool", "arguments", "preview"),
    [
        ("cancel_order", {"order_number": "AP-100002", "reason": "x"}, {"refund": "180.00", "currency": "USD"}),
        ("request_return", SEND_BACK, {"fee": "4.90", "expected_refund": "45.10"}),
        ("request_refund", REFUND, {"amount": "25.00", "refundable": "180.00", "needs_approval": False}),
        ("request_refund", {**REFUND, "amount": "100.01"}, {"amount": "100.01", "needs_approval": True}),
        ("update_customer", {"field": "phone", "value": "503 228 0612"}, {"before": "", "after": "+1 503-228-0612"}),
        ("update_customer", {"field": "marketing_opt_in", "value": True}, {"before": False, "after": True}),
    ],
)
def test_a_mutation_waits_for_the_click(owner: Desk, tool: str, arguments: Json, preview: Json) -> None:
    before = list(Order.objects.order_by("pk").values())
    result = owner.call(tool, **arguments)
    assert list(result) == ["status", "action_id", "summary", "preview", "expires_in_minutes"]
    assert (result["status"], result["expires_in_minutes"]) == ("pending_confirmation", 30)
    assert preview.items() <= result["preview"].items()
    assert list(Order.objects.order_by("pk").values()) == before
    assert not Refund.objects.exists()
    assert not Return.objects.exists()
    assert click(owner, result).state in {"done", "awaiting_staff"}


def test_a_delivery_problem_is_proposed(owner: Desk, cast: Cast) -> None:
    cast.delivered.shipments.create(
        tracking_number="ALD0000000001",
        carrier="Cascade Post",
        status="delivered",
        delivered_at=cast.delivered.delivered_at,
    )
    result = owner.call("report_delivery_problem", order_number="AP-100001", kind="damaged", wish="replacement")
    assert result["summary"] == "Report that order AP-100001 arrived damaged, and ask for a replacement"
    assert click(owner, result).receipt["ticket_number"].startswith("T-")


@pytest.mark.parametrize(
    ("tool", "arguments", "reason"),
    [
        ("cancel_order", {"order_number": "AP-100001", "reason": "x"}, "already_shipped"),
        ("request_return", {**SEND_BACK, "order_number": "AP-100002"}, "not_delivered"),
        ("request_refund", {**REFUND, "amount": "180.01"}, "over_remaining"),
        ("report_delivery_problem", {"order_number": "AP-100002", "kind": "late", "wish": "wait"}, "not_shipped"),
        ("update_customer", {"field": "name", "value": "Olivia Owner"}, "unchanged"),
    ],
)
def test_a_refusal_has_a_code_and_a_sentence(owner: Desk, tool: str, arguments: Json, reason: str) -> None:
    result = owner.call(tool, **arguments)
    assert (result["status"], result["retryable"], result["reason"]) == ("error", False, reason)
    assert result["message"].endswith(".")
    assert not Action.objects.exists()


def test_an_item_of_another_order_is_the_models_mistake(owner: Desk) -> None:
    result = owner.call("request_return", **{**SEND_BACK, "skus": ["NOPE-1"]})
    assert result["status"] == "invalid_arguments"
    assert "TNT-2P-GRN" in result["fields"]["skus"]


def test_a_value_that_cannot_be_kept_is_the_models_mistake(owner: Desk) -> None:
    result = owner.call("update_customer", field="phone", value="12")
    assert (result["status"], list(result["fields"])) == ("invalid_arguments", ["value"])


def test_the_same_wish_twice_is_one_card(owner: Desk) -> None:
    first, second = owner.call("request_refund", **REFUND), owner.call("request_refund", **REFUND)
    assert first["action_id"] == second["action_id"]
    large = {**REFUND, "amount": "150.00"}
    click(owner, owner.call("request_refund", **large))
    again = owner.call("request_refund", **large)
    assert (again["status"], Action.objects.count()) == ("awaiting_staff", 2)


def test_nothing_is_proposed_once_a_person_is_awaited(owner: Desk) -> None:
    owner.call("escalate_to_human", reason="asked", summary="wants a person")
    result = owner.call("request_refund", **REFUND)
    assert (result["status"], result["reason"]) == ("error", "conflict")
    assert not Action.objects.exists()


def test_a_ticket_of_a_verified_customer_is_theirs_and_made_once(owner: Desk, cast: Cast) -> None:
    ticket = {"customer_email": "elsewhere@example.com", "subject": "Zip", "body": "It broke", "category": "product"}
    owner.writes("Please answer to Elsewhere@example.com")
    first = owner.call("create_ticket", key="one", **ticket)
    assert first == owner.call("create_ticket", key="one", **ticket)
    made = Ticket.objects.get()
    assert list(first["ticket"]) == ["number", "subject", "priority", "status"]
    assert (made.customer, made.contact_email, made.priority) == (cast.owner, "elsewhere@example.com", "medium")


def test_a_ticket_never_answers_to_an_address_that_the_customer_has_not_given(owner: Desk, stranger: Desk) -> None:
    """It may stand in an article or an order's note: whoever wrote it there would get the customer's matters."""
    ticket = {"customer_email": "thief@evil.example", "subject": "Data", "body": "It broke", "category": "product"}
    assert owner.call("create_ticket", **ticket)["status"] == "success"
    assert Ticket.objects.get().contact_email == "olivia.owner@example.com"
    refused = stranger.call("create_ticket", **ticket)
    assert (refused["status"], list(refused["fields"])) == ("invalid_arguments", ["customer_email"])


@override_settings(RATE_LIMIT_SCALE=1)
def test_six_tickets_of_one_conversation_are_one_too_many(owner: Desk, cast: Cast) -> None:
    ticket = {"customer_email": cast.owner.email, "body": "It broke", "category": "product"}
    made = [owner.call("create_ticket", subject=f"Zip {number}", **ticket) for number in range(6)]
    assert [answer["status"] for answer in made] == ["success"] * 5 + ["error"]


def test_asking_for_a_person_twice_is_one_escalation(stranger: Desk, cast: Cast) -> None:
    wish = {"reason": "asked", "summary": "wants a person", "suggested_team": "billing"}
    first, second = stranger.call("escalate_to_human", **wish), stranger.call("escalate_to_human", **wish)
    assert first == second
    assert (first["escalation"]["team"], first["escalation"]["position"]) == ("Billing", 1)
    assert first["escalation"]["when"].startswith(("within", "when we open"))
    assert Escalation.objects.count() == 1
    assert stranger.reload().status == Conversation.Status.WAITING
    conversation_claim(conversation_id=stranger.conversation.pk, staff=cast.agent)
    assert "already here" in stranger.call("escalate_to_human", **wish)["escalation"]["when"]
    assert stranger.reload().status == Conversation.Status.HUMAN


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("asked", "asked"),
        ("Legal", "legal"),
        ("customer wants a human", "asked"),
        ("tool failing", "tool_failing"),
        ("no idea", "unsure"),
    ],
)
def test_a_person_is_never_refused_over_a_word(said: str, meant: str) -> None:
    assert EscalateToHuman.model_validate({"reason": said, "summary": "x"}).reason == meant


@pytest.mark.parametrize(
    ("tool", "arguments", "field"),
    [
        ("request_refund", {**REFUND, "amount": "0"}, "amount"),
        ("request_refund", {**REFUND, "amount": "1.005"}, "amount"),
        ("request_refund", {**REFUND, "amount": "NaN"}, "amount"),
        ("request_refund", {**REFUND, "customer_id": "x"}, "customer_id"),
        ("request_return", {**SEND_BACK, "skus": []}, "skus"),
        ("cancel_order", {"order_number": "AP-100002"}, "reason"),
        ("report_delivery_problem", {"order_number": "AP-100002", "kind": "eaten", "wish": "wait"}, "kind"),
        ("update_customer", {"field": "email", "value": "a@example.com"}, "field"),
        ("create_ticket", {"customer_email": "nope", "subject": "abc", "body": "abc"}, "customer_email"),
        ("verify_identity", {"email": "not an address"}, "email"),
        ("lookup_order", {}, "order_number"),
    ],
)
def test_mistakes_name_their_field(tool: str, arguments: Json, field: str) -> None:
    with pytest.raises(ValidationError) as error:
        ALL[tool].arguments.model_validate(arguments)
    assert field in {problem["loc"][0] for problem in error.value.errors()}


def test_every_tool_is_described_for_and_against() -> None:
    assert len(ALL) == 12
    for name, tool in ALL.items():
        schema: dict[str, Any] = tool.schema()
        assert name == tool.name
        assert "Use when" in tool.description
        assert "Do not use" in tool.description
        assert str(tool.label).endswith("…")
        assert schema["input_schema"]["type"] == "object"
        assert not {"oneOf", "anyOf", "allOf"} & set(schema["input_schema"])
        for field in schema["input_schema"]["properties"].values():
            assert field["description"]
