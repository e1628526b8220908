"""Answers taken out of articles: word for word, with the source, never a cut-off sentence."""

from __future__ import annotations

from typing import Any

import pytest

from support_agent.llm.demo.extract import answer
from support_agent.llm.demo.query import search_query
from tests.llm_demo.shop import ARTICLE, SECOND, Talk

Json = dict[str, Any]


def article(snippet: str, number: int = 1, title: str = "Help") -> Json:
    return {"n": number, "title": title, "section": "", "snippet": snippet, "url": "/help/x/"}


def test_every_sentence_comes_from_a_source() -> None:
    text = Talk().say("how long do i have to return something?").text
    assert text.endswith("[1]")
    for sentence in text.removesuffix(" [1]").replace("- ", "").split("\n"):
        assert sentence.strip() in str(ARTICLE["snippet"])


def test_the_section_that_speaks_of_it_is_quoted() -> None:
    assert answer("how much is express shipping", [ARTICLE, SECOND]).endswith("[2]")


def test_a_cut_off_end_is_left_out() -> None:
    text = answer("money back", [article("The label is free. Your money is back 5-7 business days after the par")])
    assert text == "The label is free. [1]"


def test_steps_stay_in_their_order() -> None:
    steps = "Open the app.\nPress Settings > Watch > Update.\nWait until the tree appears."
    text = answer("how do i update the watch in settings until the tree appears", [article(steps)])
    assert text.index("Open the app") < text.index("Settings > Watch") < text.index("Wait until")


def test_nothing_quotable_is_no_answer() -> None:
    assert answer("anything", [article("Overview")]) == ""


def test_tell_me_more_does_not_repeat() -> None:
    talk = Talk()
    first = talk.say("what is your return policy?").text
    second = talk.say("tell me more").text
    assert first.split(". ")[0] not in second


def test_nothing_found_asks_once_then_hands_over() -> None:
    def nothing(name: str, arguments: Json, verified: bool) -> Json:
        if name == "escalate_to_human":
            return {"status": "success", "escalation": {"team": "support", "position": 1, "when": "within 15 minutes"}}
        return {"status": "not_found", "message": "The help centre has nothing about that."}

    talk = Talk(tool=nothing)
    assert talk.say("do you repair gramophone needles for jackets?").text.endswith("?")
    assert talk.say("do you repair gramophone needles on boots?").tools[-1] == "escalate_to_human"


@pytest.mark.parametrize(
    "asked", ["How do I return a tent?", "can i send back the boots?", "Can we return a lamp after a week?"]
)
def test_a_return_named_by_its_product_asks_for_the_return_article(asked: str) -> None:
    assert search_query(asked) == "return an item"
