"""The demo model with another company's order numbers: understood as they are typed, and led to the same tools."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from support_agent.agent import identifiers
from support_agent.agent.identifiers import DEMO, Formats
from support_agent.llm.demo.slots import extract, order_numbers
from support_agent.llm.demo.text import tokens
from tests.llm_demo.shop import ORDERS, Talk, run_tool
from tickets.masks import canonical, masks, numbers_in

Json = dict[str, Any]
THEIRS = {"FC-2026-01238": "AP-104233", "FC-2026-01241": "AP-104301"}


def company(text: str) -> None:
    known = masks(text)
    hint = f"{known[0].words}, for example {known[0].example}"
    made = Formats(partial(numbers_in, known), lambda _: (), partial(canonical, known), hint)
    identifiers.use(lambda: made)


@pytest.fixture(autouse=True)
def _fjell() -> Iterator[None]:
    company("FC-####-#####")
    yield
    identifiers.use(lambda: DEMO)


def their_tool(name: str, arguments: Json, verified: bool) -> Json:
    """The canned shop under this company's numbers."""
    ours = THEIRS.get(arguments.get("order_number", ""), "none")
    given = {**arguments, "order_number": ours} if "order_number" in arguments else arguments
    return run_tool(name, given, verified)


@pytest.mark.parametrize(
    "words",
    ["Where is my order FC-2026-01238?", "where is fc 2026 01238?", "where's my parcel, order fc2026-01238 ??",
     "where is #FC-2026-01238"],
)  # fmt: skip
def test_where_is_my_order_is_tracked(words: str) -> None:
    turn = Talk(tool=their_tool).say(words)
    assert turn.calls[0] == [("track_shipment", {"order_number": "FC-2026-01238"})]


@pytest.mark.parametrize("words", ["Please cancel my order FC-2026-01241", "cancel fc 2026 01241, bought by mistake"])
def test_cancelling_leads_to_a_card(words: str) -> None:
    turn = Talk(tool=their_tool).say(words)
    name, arguments = turn.calls[-1][0]
    assert (name, arguments["order_number"]) == ("cancel_order", "FC-2026-01241")
    assert "Confirm" in turn.text


def test_a_number_alone_answers_which_order() -> None:
    talk = Talk(tool=their_tool)
    talk.say("where is my order")
    for number in ("FC-2026-01238", "2026-01238"):
        assert talk.say(number).calls[0][0][1] == {"order_number": "FC-2026-01238"}


def test_the_one_to_keep_is_not_the_one_meant() -> None:
    words = "keep FC-2026-01238, cancel FC-2026-01241"
    assert Talk(tool=their_tool).say(words).calls[-1][0][1]["order_number"] == "FC-2026-01241"


def test_its_digits_are_no_telephone_and_no_article() -> None:
    text = "change my order FC-2026-01241"
    assert extract(text, tokens(text)).value == ""
    company("ABC-####")
    assert extract("return ABC-1234", tokens("return ABC-1234")).skus == ()
    assert tokens("return ABC-1234") == ["return", "ORDER"]


def test_numbers_of_digits_alone_are_only_read_where_they_are_called_so() -> None:
    company("####+")
    assert order_numbers("I bought it in 2026, order 48213") == ("48213",)
    assert set(THEIRS.values()) <= set(ORDERS)


def test_a_stranger_names_the_order_once_verified() -> None:
    talk = Talk(tool=their_tool, verified=False)
    assert "e-mail" in talk.say("where is my order?").text
    talk.say("astrid.lind@example.com")
    talk.verified = True
    assert talk.say("FC-2026-01238").calls[0] == [("track_shipment", {"order_number": "FC-2026-01238"})]
