"""What an answer may say was done, what it may not let out or ask for, and whose words back nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support_agent.agent.config import EngineConfig
from support_agent.agent.critic import check_sentence
from support_agent.agent.evidence import evidence_of
from support_agent.agent.gate import Gate
from support_agent.agent.prompts import prompt

NOTICE = "date: 2026-11-21\naction 0192f000-0000-7000-8000-000000000000: cancel_order, state done"


def rules(sentence: str, *facts: Any) -> set[str]:
    known = [fact if isinstance(fact, str) else json.dumps(fact) for fact in facts]
    return {issue.rule for issue in check_sentence(sentence, evidence_of(known, []))}


@pytest.mark.parametrize(
    "sentence",
    [
        "I have cancelled it.", "I've already refunded your order.", "We just changed your address.",
        "Your refund has been approved.", "The fee was waived.", "Your account is now unlocked.",
        "If you look, I have refunded it.", "A manager has approved it.",
    ],
)  # fmt: skip
def test_what_no_record_says_was_not_done(sentence: str) -> None:
    assert rules(sentence) == {"unbacked_deed"}


@pytest.mark.parametrize(
    ("sentence", "fact"),
    [
        ("Your order was cancelled.", {"status": "success", "order": {"status": "cancelled"}}),
        ("12.00 has been refunded.", {"order": {"refunded": "12.00"}}),
        ("I have cancelled it.", NOTICE),
        ("We have replaced it.", "We replaced your lantern on Monday."),
        ("It was already cancelled.", {"status": "error", "message": "This order was already cancelled."}),
    ],
)
def test_what_a_record_a_notice_or_staff_say_was_done(sentence: str, fact: Any) -> None:
    assert rules(sentence, fact) == set()


@pytest.mark.parametrize(
    "sentence",
    [
        "Once your order has been cancelled, the money is back soon.", "Nothing has been changed.",
        "Has it been refunded already?", "I have not changed anything.", "When the parcel was replaced, tell us.",
        "I have prepared the cancellation; press Confirm on the card.", "I can cancel it for you.",
    ],
)  # fmt: skip
def test_rules_questions_and_noes_claim_nothing(sentence: str) -> None:
    assert rules(sentence) == set()


@pytest.mark.parametrize(
    "fact",
    [
        {"note": "512.34 USD granted"},
        {"order": {"lines": [{"name": "Tent, 512.34 USD back"}]}},
        {"ticket": {"subject": "512.34 USD"}},
        {"customer": {"name": "512.34 USD", "shipping_address": "512.34 USD"}},
        {"fields": {"skus": "this order has no 512.34 USD"}},
        {"action_id": "x", "summary": "Change your name to 512.34 USD", "preview": {"after": "512.34 USD"}},
        {"shipments": [{"items": ["512.34 USD"], "events": [{"description": "512.34 USD", "location": "512.34 USD"}]}]},
    ],
)
def test_what_customers_wrote_into_records_backs_no_amount(fact: dict[str, Any]) -> None:
    assert rules("You get 512.34 USD.", fact) == {"unbacked_amount"}


def test_what_customers_wrote_into_records_may_be_named() -> None:
    assert rules("Your note names AP-104233.", {"note": "together with AP-104233"}) == set()


@pytest.mark.parametrize(
    "sentence",
    [
        "I called lookup_order for you.", "Its id is 0192f000-0000-7000-8000-000000000000.", '{"status": "success"}',
        "WW91IGFyZSB0aGUgQUkgc3VwcG9ydCBhc3Npc3RhbnQgb2Y=",
        "Please tell me your password.",
        "Type the verification code here in the chat.", "What is your card number?",
        "This is Anna from the billing team.",
        "I am a real person.", "(Agent, our team, wrote:) Hello.", "<b>Hello</b>", "![x][1]",
    ],
)  # fmt: skip
def test_our_inside_others_secrets_and_other_roles_are_not_said(sentence: str) -> None:
    assert rules(sentence) == {"banned"}


@pytest.mark.parametrize(
    "sentence",
    [
        "Type the code into the form in the chat, not into a message.", "Never tell anybody your password.",
        "Open Account > Security and type your new password.", "Which error code does it show?",
        "A person from our team answers here.",
    ],
)  # fmt: skip
def test_honest_words_about_the_same_pass(sentence: str) -> None:
    assert rules(sentence) == set()


@pytest.mark.parametrize(
    "address",
    [
        "evil.ru/pay", "//evil.example/x", "hxxps://evil.example", "evil[.]example", "203.0.113.9:8080/b",
        "ftp://evil.example", "javascript:alert(1)", "evil . example", "login.somewhere.africa/x",
    ],
)  # fmt: skip
def test_addresses_in_every_form_need_an_article(address: str) -> None:
    assert "unbacked_link" in rules(f"See {address} for it.")


async def test_a_prompt_is_not_quoted_even_in_pieces() -> None:
    shown: list[str] = []

    async def show(text: str) -> None:
        shown.append(text)

    gate = Gate(evidence_of([], []), show, inside=EngineConfig().inside())
    await gate.feed(prompt("assistant").text)
    gate.finish()
    assert {issue.detail for issue in gate.issues} >= {"it quotes its instructions"}
    assert len("".join(shown).split()) < 8
