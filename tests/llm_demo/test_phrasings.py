"""The demo model on customers' phrasings: the right tool first in at least 90 %, and no figure that no record holds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from support_agent.agent.evidence import evidence_of, unbacked
from support_agent.agent.routing import READ
from tests.llm_demo.shop import STRANGER, VERIFIED, Talk, Turn

Json = dict[str, Any]
PHRASINGS: list[Json] = yaml.safe_load((Path(__file__).parents[1] / "data" / "demo_phrasings.yaml").read_text("utf-8"))


def last_turn(case: Json) -> tuple[Turn, Talk]:
    talk = Talk(verified=case.get("verified", True))
    for said in case.get("before", []):
        talk.say(said)
    return talk.say(case["text"]), talk


def is_right(turn: Turn, expected: str) -> bool:
    return turn.first in expected.split("|") or any(name in expected.split("|") for name, _ in (turn.calls or [[]])[0])


def test_right_tool_first(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = []
    for case in PHRASINGS:
        turn, _ = last_turn(case)
        if not is_right(turn, case["tool"]):
            wrong.append(f"{case['text'][:80]!r}: {turn.first}, not {case['tool']}")
    share = 1 - len(wrong) / len(PHRASINGS)
    with capsys.disabled():
        report = [f"right tool first: {share:.1%} of {len(PHRASINGS)} phrasings", *wrong]
        sys.stdout.write("\n" + "\n  ".join(report) + "\n")
    assert len(PHRASINGS) >= 320
    assert share >= 0.9


def test_no_figure_that_no_record_holds() -> None:
    for case in PHRASINGS:
        turn, talk = last_turn(case)
        seen = [str(result) for result in turn.results] + [VERIFIED if talk.verified else STRANGER]
        words = [message["content"] for message in talk.history if message["role"] == "user"]
        assert not unbacked(turn.text, evidence_of(seen, words)), f"{case['text']!r}: {turn.text}"


def test_every_answer_is_short_and_says_something() -> None:
    for case in PHRASINGS:
        turn, _ = last_turn(case)
        assert turn.text.strip(), case["text"]
        assert len(turn.text.split()) < 100, turn.text


def test_plans_keep_to_the_tools_they_open() -> None:
    for case in PHRASINGS:
        turn, _ = last_turn(case)
        assert len(turn.offered) <= len(READ)
        if turn.plan is not None and turn.first in (
            "cancel_order",
            "request_return",
            "request_refund",
            "update_customer",
        ):
            assert any(step["type"] == "take_action" for step in turn.plan["steps"]), case["text"]


def test_figures_are_really_said() -> None:
    """The check above must not pass for want of figures."""
    said = " ".join(last_turn(case)[0].text for case in PHRASINGS[:60])
    assert len(unbacked(said, evidence_of([], []))) > 50
