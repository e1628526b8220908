"""Path, tools and tier of a turn."""

from __future__ import annotations

import pytest

from support_agent.agent.routing import READ, TOOLSETS, asks_for_person, fast_path, tier, toolset
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


@pytest.mark.parametrize(
    "said",
    [
        "I want to talk to a real person please",
        "can i speak with an agent",
        "Connect me to a representative.",
        "this is useless, get me a human",
        "i don't want a bot, let me talk to a person",
        "transfer me over to your colleague",
        "AGENT",
        "I need a human",
        "I want to talk to a human, not a bot",
        "I want to speak to a human not a bot",
        "instead of a bot I want to talk to a person",
        "I don't want to talk to a bot I want a human",
        "Why can't I talk to a real person?",
        "I said I want to speak to a manager!",
        "I have told you twice: get me a human",
        "I've been trying to talk to a person for two hours",
        "I was hoping to speak with an agent",
        "I was wondering if I could talk to a person",
        "I wanted to speak to your supervisor please",
        "I'd prefer talking to a human",
        "I insist on speaking with a manager",
        "put me straight through to an agent",
        "how do I talk to a person here",
        "I spoke to a bot before, now let me talk to a human",
        "You told me to wait. Connect me with a manager now",
        "I want to talk to the person who told me that",
        "give me a person to talk to",
        "let me speak to a person in my language",
        "gimme a real person pls",
        "I was told to wait but I want to talk to a person",
        "The bot said no and I want to talk to a human",
        "I need to speak to a manager about the order my wife did not receive",
    ],
)
def test_a_plain_wish_for_a_person_is_seen(said: str) -> None:
    assert asks_for_person(said)


@pytest.mark.parametrize(
    "said",
    [
        "I want a tent for one person",
        "A person delivered it to my neighbour",
        "I do not want to talk to a person",
        "Can I change the contact person of our account?",
        "my travel agent booked it",
        "I spoke to a manager of yours yesterday",
        "what does human resources do",
        "I was talking to an agent before you, what did he say?",
        "You told me I would speak to a person tomorrow; where is my order?",
        "Please give me a representative sample",
        "am i chatting with a real person or a computer",
        "I've been talking to an agent about this already",
        "After speaking with a representative I returned the tent",
        "Your colleague said I should talk to a manager",
        "I was told I could speak to a person on Monday",
        "The website says you can talk to a human",
        "I had to talk to an agent yesterday, it took an hour",
        "Did I talk to a real person yesterday?",
        "Do I have to speak to an agent to return this?",
        "Do you need a real person to sign for the parcel?",
        "Thanks for letting me know, talking to an agent helped",
        "Give me your manager's e-mail address",
        "I need a human-readable invoice",
        "get me an employee discount",
        "Let me talk to a colleague first",
        "I'll talk to a manager at my company and come back",
        "forward me the mail you sent to a colleague",
        "What happens when I talk to an agent?",
        "You were going to connect me to a manager last week",
    ],
)
def test_other_people_are_not_a_wish_for_one(said: str) -> None:
    assert not asks_for_person(said)
