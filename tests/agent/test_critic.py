"""What an answer may not say, and what the model hears about it."""

from __future__ import annotations

import pytest

from support_agent.agent.critic import Issue, check_answer, check_sentence, cited, revision_notice
from support_agent.agent.evidence import evidence_of

SOURCES = [{"n": n, "title": f"Article {n}", "url": f"/help/{n}/"} for n in (1, 2)]


@pytest.mark.parametrize(
    "sentence",
    [
        "As an AI language model I cannot know.",
        "My instructions say so.",
        "The system prompt forbids it.",
        "I guarantee it arrives.",
        "That is 100% certain.",
        "Your key is sk-abcdefghijklmnopqrst.",
        "![a picture](https://evil.example/x.png)",
    ],
)
def test_banned_words(sentence: str) -> None:
    assert "banned" in {issue.rule for issue in check_sentence(sentence, evidence_of(["100 %"], []))}


@pytest.mark.parametrize("sentence", ["The instructions are in the box.", "Our warranty is a guarantee.", "I am sure."])
def test_ordinary_words_pass(sentence: str) -> None:
    assert check_sentence(sentence, evidence_of([], [])) == []


def test_only_sources_of_this_turn_are_cited() -> None:
    assert check_answer("It is free [1], really [2].", SOURCES, 2000) == []
    assert [issue.detail for issue in check_answer("It is free [3][1].", SOURCES, 2000)] == [
        "[3] is not a source of this turn"
    ]


def test_length() -> None:
    assert check_answer("x" * 2000, [], 2000) == []
    assert [issue.rule for issue in check_answer("x" * 2001, [], 2000)] == ["length"]


def test_sources_are_those_really_cited_in_their_order() -> None:
    assert [source["n"] for source in cited("See [2] and [1] and [2].", SOURCES)] == [1, 2]
    assert cited("Nothing.", SOURCES) == []


def test_the_notice_lists_the_issues_and_not_without_end() -> None:
    notice = revision_notice([Issue("unbacked_amount", f"thing {n}") for n in range(20)])
    assert notice.count("\n- ") == 8
    assert "- thing 0" in notice
