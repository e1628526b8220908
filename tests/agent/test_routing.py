"""Path, tools and tier of a turn."""

from __future__ import annotations

import pytest

from support_agent.agent.routing import READ, TOOLSETS, fast_path, tier, toolset
from support_agent.agent.types import Plan
from tests.agent.ports import PLAN, asks

COMMON = ["create_ticket", "escalate_to_human"]
CONTRACT = {
    "orders": [
        "search_knowledge_base", "lookup_order", "request_return", "cancel_order", "report_delivery_problem", *COMMON,
    ],
    "billing": [
        "search_knowledge_base", "lookup_customer", "lookup_order", "request_refund", "verify_identity", *COMMON,
    ],
    "account": [
        "search_knowledge_base", "lookup_customer", "lookup_order", "verify_identity", "update_customer", *COMMON,
    ],
    "technical": [
        "search_knowledge_base", "lookup_customer", "lookup_order", "track_shipment", "verify_identity", *COMMON,
    ],
}  # fmt: skip
MUTATIONS = {"request_return", "request_refund", "cancel_order", "report_delivery_problem", "update_customer"}


def plan(subject: str = "orders", *steps: str, complexity: str = "medium") -> Plan:
    described = [{"type": step, "priority": "required", "description": "x"} for step in steps or ("answer",)]
    return Plan.model_validate({**PLAN, "subject": subject, "steps": described, "complexity": complexity})


@pytest.mark.parametrize("subject", CONTRACT)
def test_an_action_opens_the_subjects_tools(subject: str) -> None:
    assert list(toolset(plan(subject, "gather_info", "take_action"), asks())) == CONTRACT[subject]


def test_never_more_than_seven() -> None:
    assert all(len(names) == len(set(names)) <= 7 for names in TOOLSETS.values())
    assert list(READ) == CONTRACT["technical"]


@pytest.mark.parametrize("subject", CONTRACT)
def test_no_mutation_without_an_action_a_verified_customer_and_the_conversation_to_ourselves(subject: str) -> None:
    acting = plan(subject, "take_action")
    for names in (
        toolset(plan(subject, "gather_info", "answer"), asks()),
        toolset(acting, asks(verified=False)),
        toolset(acting, asks(mutations_allowed=False)),
    ):
        assert names == READ
        assert not MUTATIONS & set(names)


def test_complexity_picks_the_tier() -> None:
    tiers = [tier(plan(complexity=how)).value for how in ("simple", "medium", "complex")]
    assert tiers == ["small", "medium", "large"]


@pytest.mark.parametrize(
    "said", ["hi", "Hello there!", "good morning", "thanks", "Thank you so much!", "ok thanks", "Bye."]
)
def test_small_talk_is_fast(said: str) -> None:
    assert fast_path(asks(said)) == "small talk"


@pytest.mark.parametrize(
    "said",
    ["Where is my order?", "where's AP-104233", "AP-104233 status", "track my parcel", "when will my package arrive?"],
)
def test_a_plain_question_for_an_order_is_fast(said: str) -> None:
    assert fast_path(asks(said)) == "order status"


@pytest.mark.parametrize(
    "said",
    [
        "",
        "AP-104233",
        "hi, I want my money back",
        "Where is my order? I want to cancel it",
        "where is the refund for AP-104233",
        "My order AP-104233 never arrived, where is it?",
        "track AP-104233 and change the address",
        "Where can I talk to a person about my order?",
        "what is the status of my account",
        "thanks but what about the other thing",
        "Where is my order? " + "It was for my mother. " * 10,
    ],
)
def test_everything_else_is_planned(said: str) -> None:
    assert fast_path(asks(said)) == ""
